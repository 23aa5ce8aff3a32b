"""What Go offers to those who train: boards as symbols, moves as labels, moves drawn, answers judged.

See ``gobench.types.Domain``: grid, symbols, states, readable, labels, act, verdicts.
"""

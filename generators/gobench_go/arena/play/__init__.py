"""A game against a player on a local web page: the board, what the model generates, and what was read of it.

browser <--server--> table (threads) --> game (rules) ; table --> players, oracle ; view: game -> JSON
"""

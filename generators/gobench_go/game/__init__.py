"""The game: coordinates, rules, positions and compiled kernels."""

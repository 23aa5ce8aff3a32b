"""The page of a match: its tables above a player of its games."""

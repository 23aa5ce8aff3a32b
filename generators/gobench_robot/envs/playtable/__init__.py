"""A table to play at: an arm, a drawer, a slider, a lever with its bulb, a button with its LED, and three blocks."""

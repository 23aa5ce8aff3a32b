"""The smallest model there is, and the floor of every suite."""

"""Players that judge positions and make games."""

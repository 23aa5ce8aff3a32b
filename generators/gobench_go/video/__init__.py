"""Pictures of boards: themes, drawing and reading."""

"""The Go room: rules, pictures, teachers and sources of games."""

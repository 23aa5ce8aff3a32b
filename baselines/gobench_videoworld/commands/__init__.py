"""The room's commands: ``gobench train videoworld`` and ``gobench analyze …``; what is heavy is imported when one runs."""

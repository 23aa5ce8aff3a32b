"""``python -m gobench`` is the same as ``gobench``."""

from gobench.cli import main

if __name__ == "__main__":
    main()

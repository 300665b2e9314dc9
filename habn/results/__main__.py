"""`python -m habn.results` is `python -m habn tables`, as cards and results name it."""

from habn.commands.tables import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

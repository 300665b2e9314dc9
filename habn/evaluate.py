"""`python -m habn.evaluate` is `python -m habn evaluate`, as cards and results name it."""

from habn.commands.evaluate import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

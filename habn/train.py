"""`python -m habn.train` is `python -m habn train`, as cards and results name it."""

from habn.commands.train import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

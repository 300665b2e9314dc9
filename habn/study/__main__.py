"""`python -m habn.study` is `python -m habn study`, as cards and results name it."""

from habn.commands.study import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

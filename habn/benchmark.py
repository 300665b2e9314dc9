"""`python -m habn.benchmark` is `python -m habn benchmark`, as cards and results name it."""

from habn.commands.benchmark import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

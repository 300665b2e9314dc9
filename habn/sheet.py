"""`python -m habn.sheet` is `python -m habn style_sheets`, as cards and results name it."""

from habn.commands.style_sheets import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

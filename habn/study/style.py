"""`python -m habn.study.style` is `python -m habn style_study`, as cards and results name it."""

from habn.commands.style_study import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

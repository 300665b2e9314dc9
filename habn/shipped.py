"""Where the files are that come with the code: networks, examples, results."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder `checkpoints`, `assets` or `results`: in an installed package, or beside `habn` in a working tree."""
    installed = _PACKAGE / "shipped_files" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name

"""Settings that are fields of dataclasses and flags of commands at once."""

from dataclasses import MISSING, field
from typing import Any


def setting(help: str, default: Any = MISSING, *, flag: str | None = None, **parsing: Any) -> Any:
    """A field that commands offer as a flag; its type and default are the field's.

    Args:
        help: what the flag's help says.
        flag: its name, where it is not the field's.
        parsing: what argparse is told besides, such as choices and metavar.
    """
    return field(default=default, metadata={"flag": flag, "help": help, "parsing": parsing})

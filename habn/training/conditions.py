"""The conditions that a run was begun under: they stand in its folder, and it is continued under no others."""

import json
from pathlib import Path
from typing import Any

from habn.errors import HabnError

CONDITIONS = "conditions.json"


def begin_or_continue(folder: Path, conditions: dict, begun: bool) -> None:
    """Write down the conditions of a new run; refuse to continue one that was begun under others.

    Args:
        folder: of the run.
        conditions: what the run depends on, by name; anything that JSON knows.
        begun: whether the folder holds a run already.

    Raises:
        HabnError: in one sentence.
    """
    path, wanted = folder / CONDITIONS, json.loads(json.dumps(conditions))
    if not begun:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted) + "\n")
    if not path.is_file():
        raise HabnError(f"{folder} does not say how its run was begun, for want of {CONDITIONS}; give another --run.")
    found, wanted = _flat(json.loads(path.read_text())), _flat(wanted)
    for key in sorted(wanted.keys() | found.keys()):
        if found.get(key) != wanted.get(key):
            raise HabnError(
                f"{folder} was made with {key} {found.get(key)} and not {wanted.get(key)}; give another --run."
            )


def _flat(conditions: dict) -> dict:
    """Groups of conditions taken apart, as "options.seed": a refusal names the one that differs."""
    flat: dict[str, Any] = {}
    for key, value in conditions.items():
        flat |= {f"{key}.{part}": v for part, v in value.items()} if isinstance(value, dict) else {key: value}
    return flat

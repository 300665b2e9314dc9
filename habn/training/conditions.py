"""On what terms a run was begun: they stand in its folder, and it is gone on with on no others."""

import json
from pathlib import Path

CONDITIONS = "conditions.json"


def keep_conditions(folder: Path, conditions: dict, begun: bool) -> None:
    """Write down what a new run depends on beside the code and the machine; hold one that was begun before to it.

    Args:
        folder: of the run.
        conditions: anything that JSON knows, by name.
        begun: whether the folder holds a run already.

    Raises:
        ValueError: that run was begun on other terms.
    """
    path, wanted = folder / CONDITIONS, json.loads(json.dumps(conditions))
    if not begun:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted) + "\n")
    found = json.loads(path.read_text()) if path.is_file() else {}
    for key in sorted(wanted.keys() | found.keys()):
        if found.get(key) != wanted.get(key):
            raise ValueError(
                f"{folder} was made with {key} {found.get(key)} and not {wanted.get(key)}; give another --run."
            )

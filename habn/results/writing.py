"""Writing studies, so that no number in results/*.json is typed by hand."""

import os
from dataclasses import replace
from pathlib import Path

from habn.results.models import Study
from habn.results.reading import ResultError, adapter, load_study

_FOR_EACH_ROW = ("rows", "command", "date")
"""What a file may have otherwise than a row that is added to it."""


def save_study(study: Study, folder: str | Path) -> Path:
    """Write `study` as FOLDER/NAME.json and return the path.

    Raises:
        ResultError: when what was written could not be read again.
    """
    path = Path(folder) / f"{study.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.new")
    draft.write_bytes(adapter(Study).dump_json(study, indent=1, exclude={"name"}, exclude_defaults=True) + b"\n")
    try:
        load_study(draft)
    except ResultError:
        draft.unlink()
        raise
    os.replace(draft, path)
    return path


def add_rows(study: Study, folder: str | Path) -> Path:
    """Write `study`, keeping the rows of the same study that are there already, except those that it brings anew.

    Raises:
        ResultError: when the file holds another study, so that its rows could not be compared.
    """
    path = Path(folder) / f"{study.name}.json"
    if not path.exists():
        return save_study(study, folder)
    old = load_study(path)
    for field in study.__dataclass_fields__:
        if field not in _FOR_EACH_ROW and getattr(study, field) != getattr(old, field):
            raise ResultError(f"{path} was measured with another {field!r}; measure its rows together, in a new file.")
    rows = {row.identity: row for row in (*old.rows, *study.rows)}
    commands = dict.fromkeys([*old.command.splitlines(), *study.command.splitlines()])
    both = replace(old, rows=tuple(rows.values()), command="\n".join(commands), date=study.date)
    return save_study(both, folder)

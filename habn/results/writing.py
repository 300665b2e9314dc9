"""Writing studies, so that no number in results/*.json is typed by hand."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from habn.results.reading import ResultError, load_study
from habn.results.study import Study

_OPTIONAL = ("curves", "weather", "search")
_OWN_OF_A_ROW = ("rows", "command", "date")  # may differ between what is there and a row that is added


def save_study(study: Study, folder: str | Path) -> Path:
    """Write `study` as FOLDER/NAME.json and return the path.

    Raises:
        ResultError: when what was written could not be read again.
    """
    path = Path(folder) / f"{study.name}.json"
    content = {key: value for key, value in asdict(study).items() if key != "name"}
    content = {key: value for key, value in content.items() if value or key not in _OPTIONAL}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.new")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    load_study(draft)
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
    for key, value in asdict(replace(study, curves=old.curves, weather=old.weather, search=old.search)).items():
        if key not in _OWN_OF_A_ROW and value != asdict(old)[key]:
            raise ResultError(f"{path} was measured with another {key!r}; measure its rows together, in a new file.")
    rows = {(row.norm, row.setting): row for row in (*old.rows, *study.rows)}
    commands = dict.fromkeys([*old.command.splitlines(), *study.command.splitlines()])
    return save_study(replace(old, rows=(*rows.values(),), command="\n".join(commands), date=study.date), folder)

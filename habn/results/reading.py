"""Reads results/*.json; what does not fit is refused in one sentence that names file, key and remedy."""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from habn.errors import HabnError
from habn.results.claims import Claims
from habn.results.models import Study
from habn.shipped import shipped

FOLDER = shipped("results")
CLAIMS, BENCHMARK, SOAK = "claimed.json", "benchmark.json", "soak.json"
REMEDY = "run the command again that writes the file, or correct it"

Content = TypeVar("Content")


class ResultError(HabnError):
    """One sentence on a file of results that cannot be read: which file, which key, and what to do."""


def load_results(folder: str | Path = FOLDER) -> tuple[Study, ...]:
    """All studies of a folder, those of the page's networks first, then by their files' names.

    None if there is no such folder.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    others = (CLAIMS, BENCHMARK, SOAK)
    studies = (load_study(path) for path in Path(folder).glob("*.json") if path.name not in others)
    return tuple(sorted(studies, key=lambda study: (study.protocol != "shipped", study.name)))


def load_study(path: str | Path) -> Study:
    """The study of one file.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    study = read_file(Path(path), Study)
    if study.name:
        raise ResultError(f"{path}: the key 'name' is not known; {REMEDY}.")
    if study.baseline not in {row.norm for row in study.rows}:
        raise ResultError(f"{path}: 'baseline' is {study.baseline!r}, which no row has as its norm; {REMEDY}.")
    return replace(study, name=Path(path).stem)


def load_claims(folder: str | Path = FOLDER) -> Claims | None:
    """What the source text claims (claimed.json), or None where the file is missing.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    path = Path(folder) / CLAIMS
    return read_file(path, Claims) if path.exists() else None


def read_file(path: Path, kind: type[Content]) -> Content:
    """The content of a JSON file as one of the classes that pydantic builds.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    try:
        return adapter(kind).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ResultError(f"{path} is missing; {REMEDY}.") from None
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        if found["type"] == "json_invalid":
            raise ResultError(f"{path} is not valid JSON; {REMEDY}.") from None
        complaint = _complain(_place(found["loc"]), found["type"], found["msg"])
        raise ResultError(f"{path}: {complaint}; {REMEDY}.") from None


def adapter(kind: type[Content]) -> TypeAdapter[Content]:
    """What reads and writes a class as JSON."""
    return TypeAdapter(kind)


def _complain(place: str, kind: str, message: str) -> str:
    """What does not fit, in one clause; kind and message are pydantic's."""
    match kind:
        case "missing":
            return f"the key '{place}' is missing"
        case "unexpected_keyword_argument":
            return f"the key '{place}' is not known"
        case "dataclass_type" | "dict_type":
            return f"'{place}' must be an object" if place else "the file must be an object"
        case "value_error":
            return f"{place}{': ' if place else ''}{message.removeprefix('Value error, ')}"
        case _:
            return f"'{place}' {message[0].lower()}{message[1:]}".replace("input should be", "must be")


def _place(location: tuple[int | str, ...]) -> str:
    """ "rows[0].values[1]"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")

"""Builds the site: which file comes from where."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template
from typing import Any

from habn.comparison.arrays import PROGRAM, SCHEMA
from habn.comparison.engine import LONGER_SIDE
from habn.comparison.examples import EXAMPLES, PATHS
from habn.comparison.request import PAIRS
from habn.comparison.sheet import SEQUENTIAL
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.data.styles import PHOTO_ROW, STYLES
from habn.data.weather import WEATHER, draw_place
from habn.data.weather.placement import WAVES, uniform
from habn.images.files import LIMITS
from habn.layers import PARAMETERS
from habn.results.models import LANGUAGES
from habn.ui import link, words
from habn.ui.compare.callbacks import Answer, Inside
from habn.ui.help import TERMS
from habn.ui.page import STYLESHEET, build_theme
from habn.ui.results import draw_in
from habn.ui.site import address, examples, networks
from habn.ui.site.layout import PAGE, describe_page, stylesheet
from habn.ui.site.lesson import write_lesson
from habn.ui.site.runtime import fetch_runtime

MAX_BYTES = 10_000_000
"""Of a photo, as the server takes it."""

Progress = Callable[[str], None]


def build_site(
    folder: Path,
    progress: Progress = lambda what: None,
    pairs: Sequence[str] = tuple(PAIRS),
    pictures: Sequence[Path] = EXAMPLES,
) -> None:
    """Write the site into a folder, which is made if missing.

    Args:
        folder: files that are there already are written over.
        progress: is told what is done next.
        pairs: of networks, keys of `PAIRS`.
        pictures: the examples that answers are made ready for.

    Raises:
        SiteError, ExportError, CheckpointError: one sentence on what is missing or wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress("ONNX Runtime Web")
    fetch_runtime(folder / "runtime")
    for name in networks.checkpoints_of(pairs):
        progress(f"network {name}")
        networks.write_network(name, folder / "networks")
    known: dict[str, Any] = {}
    for path in PATHS.values():
        known[path.stem] = examples.write_photo(path, folder / "examples")
    for path in pictures:
        for pair in pairs:
            progress(f"example {path.stem}, {pair}")
            answer = examples.write_answer(path, pair, folder / "examples" / f"{path.stem}-{pair}")
            known[path.stem]["pairs"][pair] = answer
    progress("the page")
    write_page(folder, pairs, known)


def steps(pairs: Sequence[str] = tuple(PAIRS), pictures: Sequence[Path] = EXAMPLES) -> int:
    """How often `build_site` tells what it does."""
    return 2 + len(networks.checkpoints_of(pairs)) + len(pictures) * len(pairs)


def write_page(folder: Path, pairs: Sequence[str], known: dict[str, Any]) -> None:
    """Write everything but networks, examples and runtime; `known` is what is ready of each example."""
    for path in PAGE.glob("*.js"):
        if path.name != "service_worker.js":
            shutil.copy(path, folder)
    page = describe_page()
    _write_data(folder, page, pairs, known)
    write_lesson(folder)
    for language in LANGUAGES:
        _write_json(folder / f"words.{language}.json", words.every_text(language))
        (folder / f"results.{language}.html").write_text(draw_in(language), encoding="utf-8")
    style = stylesheet(build_theme()) + (PAGE / "page.css").read_text("utf-8") + STYLESHEET.read_text("utf-8")
    (folder / "style.css").write_text(style, encoding="utf-8")
    modules = sorted(path.name for path in folder.glob("*.js") if path.name not in OF_THE_WORKER)
    (folder / "index.html").write_text(
        Template((PAGE / "index.html").read_text("utf-8")).substitute(
            title=page["title"],
            head=link.head(),
            preload="\n".join(f'<link rel="modulepreload" href="{name}">' for name in modules),
            no_script=words.spans("site.no_script"),
        ),
        encoding="utf-8",
    )
    (folder / "README.md").write_text((PAGE / "README.md").read_text("utf-8"), encoding="utf-8")
    _write_service_worker(folder)


OF_THE_WORKER = {"worker.js", "knobs.js", "photo.js", "records.js", "reduce.js", "weather.js", "service_worker.js"}
"""Scripts that the page itself does not load."""


def _write_data(folder: Path, page: dict[str, Any], pairs: Sequence[str], known: dict[str, Any]) -> None:
    limits = {key: getattr(LIMITS, key) for key in ("max_pixels", "max_copied_pixels", "max_side", "max_aspect")}
    constants = {
        "LANGUAGES": LANGUAGES,
        "PAGE": page,
        "ANSWER": ("photo", *Answer._fields),
        "INSIDE": Inside._fields,
        "ADDRESS": address.describe(pairs),
        "PAIRS": {name: {key: getattr(PAIRS[name], key) for key in ("task", "first", "second")} for name in pairs},
        "CHECKPOINTS": {name: networks.describe_network(name) for name in networks.checkpoints_of(pairs)},
        "EXAMPLES": known,
        "CLASSES": STREET_CLASSES,
        "PALETTE": STREET_PALETTE.tolist(),
        "STYLES": STYLES,
        "PHOTO_ROW": PHOTO_ROW,
        "TERMS": TERMS,
        "SEQUENTIAL": (SEQUENTIAL(range(256))[:, :3] * 255).round().astype(int).tolist(),
        "LIMITS": {**limits, "min_side": LIMITS.min_side, "max_bytes": MAX_BYTES, "longer_side": LONGER_SIDE},
        "PARAMETERS": PARAMETERS,
        "PROGRAM": PROGRAM,
        "SCHEMA": SCHEMA,
        "PLACES": {name: draw_place(name, 0) for name in WEATHER},
        "WEATHER_DRAWS": {"uniform": uniform(0, 4 + 3 * WAVES)[2:].tolist()},
    }
    lines = (f"export const {name} = {_json(value)};\n" for name, value in constants.items())
    (folder / "data.js").write_text("".join(lines), encoding="utf-8")


def _write_service_worker(folder: Path) -> None:
    """The service worker, whose version is the content of everything that the site holds."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "service_worker.js")
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    first = ["./", *(path.name for path in paths if path.parent == folder and path.suffix in (".js", ".css", ".json"))]
    script = Template((PAGE / "service_worker.js").read_text("utf-8"))
    text = script.substitute(version=f"habn-{digest.hexdigest()[:12]}", first=_json(first))
    (folder / "service_worker.js").write_text(text, encoding="utf-8")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(_json(value), encoding="utf-8")


def _json(value: Any) -> str:
    # Gradio's standing texts are objects that name their words when they are written.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)

"""Steps 1 to 4 of the lesson, whose picture and layers are the same for everybody."""

import json
import shutil
from pathlib import Path
from typing import Any

from habn.comparison.lesson import load_lesson
from habn.results.models import LANGUAGES
from habn.ui.learn.components import PHOTO_STEPS, STEPS
from habn.ui.learn.regions import build_region_step, inspect_lesson
from habn.ui.learn.step import Sayer


def write_lesson(folder: Path) -> None:
    """Write lesson.LANGUAGE.json, and the files that it names into lesson/."""
    lesson = load_lesson()
    files = folder / "lesson"
    files.mkdir(exist_ok=True)
    views = {
        f"{layer}/{channel}": _publish(inspect_lesson(lesson, layer, channel), files)
        for layer, record in enumerate(lesson.second.records)
        for channel in range(record.shape[0])
    }
    for language in LANGUAGES:
        steps = {
            number: [_publish(part, files) for part in build_region_step(number, lesson, Sayer(language))]
            for number in STEPS
            if number not in PHOTO_STEPS
        }
        content = {"run": lesson.run_id, "steps": steps, "views": views}
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (folder / f"lesson.{language}.json").write_text(text, encoding="utf-8")


def _publish(value: Any, folder: Path) -> Any:
    """The value with every file of Gradio's cache put into the folder, and named by its address in the site."""
    if isinstance(value, dict) and "path" in value:
        path = Path(value["path"])
        shutil.copy(path, folder)
        return {"url": f"lesson/{path.name}"}
    if isinstance(value, dict):
        return {key: _publish(part, folder) for key, part in value.items()}
    return [_publish(part, folder) for part in value] if isinstance(value, list) else value

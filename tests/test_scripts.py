"""The page's scripts know each other by few names; ESLint, which `make test` runs, knows of each file alone."""

import re
from pathlib import Path

import pytest

import habn.ui
from habn.ui.compare.example_picker import ExamplePicker
from habn.ui.compare.line_control import LineControl
from habn.ui.compare.painting import MostAdapted, PaintingControls
from habn.ui.copy_link import CopyLink
from habn.ui.experiment.components import AdaptationControls, ExperimentOutcome, WeatherControls
from habn.ui.export.offer import Offer
from habn.ui.inspector import Inspector
from habn.ui.learn.components import LessonText, Question

FOLDER = Path(habn.ui.__file__).parent
SCRIPTS = sorted(FOLDER.rglob("*.js"))
MOST_NAMES = 12
PARTS = (
    *(AdaptationControls, CopyLink, ExamplePicker, ExperimentOutcome, Inspector, LessonText, LineControl),
    *(MostAdapted, Offer, PaintingControls, Question, WeatherControls),
)


def names(kind: str, text: str) -> set[str]:
    """What `/* kind a, b */` lists in a script, or in several."""
    return {name for found in re.findall(rf"/\* {kind} ([\w,\s]+) \*/", text) for name in re.split(r"[,\s]+", found)}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_more_than_a_dozen_names_leave_a_script(path: Path):
    assert len(names("exported", path.read_text())) <= MOST_NAMES


@pytest.mark.parametrize("component", PARTS)
def test_what_a_script_takes_another_one_of_its_part_gives(component: type):
    script = component(render=False).js_on_load
    constants = set(re.findall(r"^const (\w+) = ", script, re.MULTILINE))
    exported = [name for found in re.findall(r"/\* exported ([\w, ]+) \*/", script) for name in found.split(", ")]
    assert len(exported) == len(set(exported)), "two scripts give one name"
    assert names("global", script) <= constants | set(exported)

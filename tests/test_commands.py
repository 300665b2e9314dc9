"""The commands by every name that they have."""

import importlib.util
import re
from pathlib import Path

import pytest

from habn.__main__ import COMMANDS, main

ROOT = Path(__file__).parent.parent
TEXTS = (
    *(ROOT / name for name in ("README.md", "docs/decisions.md", "docs/measured.md", "assets/README.md")),
    *ROOT.glob("results/*.json"),
    *ROOT.glob("checkpoints/*/README.md"),
    *ROOT.glob("habn/commands/*.py"),
)
NAMED = sorted({name for path in TEXTS for name in re.findall(r"python -m (habn[\w.]*\w)", path.read_text())})


@pytest.mark.parametrize("name", NAMED)
def test_every_command_that_a_text_names_can_be_run(name):
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{name}.__main__")
    assert spec is not None and '__name__ == "__main__"' in Path(spec.origin).read_text()


def test_the_list_of_commands_is_what_the_room_holds():
    rooms = {path.stem for path in ROOT.glob("habn/commands/*.py") if "def main(" in path.read_text()}
    assert rooms == set(COMMANDS)


def test_a_command_is_given_its_own_arguments(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["tables", "--folder", "nowhere", "--help"])
    assert ended.value.code == 0 and "--write" in capsys.readouterr().out


def test_a_command_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2 and "benchmark" in capsys.readouterr().err

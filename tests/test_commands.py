"""The commands by every name that they have."""

import importlib.util
import re
from pathlib import Path

import pytest

from habn.__main__ import COMMANDS, main
from habn.data.drawn import load_scenes

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


def test_each_task_offers_the_normalizations_that_it_has(capsys):
    offered = {}
    for task in ("segmentation", "style"):
        with pytest.raises(SystemExit):
            main(["train", task, "--help"])
        offered[task] = capsys.readouterr().out
    assert "adain" in offered["style"] and "adain" not in offered["segmentation"] and "film" in offered["segmentation"]
    with pytest.raises(SystemExit):
        main(["train", "segmentation", "--norm", "adain", "--steps", "1", "--run", "nowhere"])


def test_a_checkpoint_is_measured_on_what_it_was_trained_on():
    with pytest.raises(SystemExit, match="data set camvid is read from a folder; name it with --root"):
        main(["evaluate", "--checkpoint", "spvcnn-bn-camvid"])


def test_drawing_scenes_is_said_before_it_takes_its_time(caplog, monkeypatch):
    class AtOnce:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def map(self, work, *arguments, chunksize):
            assert "Drawing 2 street scenes (val)" in caplog.text
            return map(work, *arguments)

    monkeypatch.setattr("habn.data.drawn.ProcessPoolExecutor", AtOnce)
    caplog.set_level("INFO", "habn")
    assert len(load_scenes("val", 2, (32, 48)).images) == 2

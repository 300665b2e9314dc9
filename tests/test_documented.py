"""The examples of docs/ do what is said there, as they are printed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import habn
from habn.__main__ import COMMANDS
from habn.comparison.examples import EXAMPLES
from habn.data.segmentation import STREET_CLASSES, SegmentationData

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NODE_MODULES = Path(sys.prefix) / "axe" / "node_modules"  # where .ci/run puts what comes from npm


def code(page: str, language: str, after: str = "") -> str:
    """The first block of code in a page, behind a text."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(after)[2] if after else (DOCS / page).read_text()
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a photo, where one works, and where Python looks for modules."""
    shutil.copy(EXAMPLES[0], tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mynetworks", "train"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_networks_are_trained_and_compared_from_nothing(folder, monkeypatch):
    for file in ("mynetworks.py", "train.py"):
        (folder / file).write_text(code("own-networks.md", "python", f"<!-- file: {file} -->"))
    monkeypatch.setattr(sys, "argv", ["train.py", "2"])
    import mynetworks
    import train

    images = torch.randint(0, 256, (8, 3, 32, 48), dtype=torch.uint8)
    labels = torch.randint(0, 11, (8, 32, 48), dtype=torch.uint8)
    data = SegmentationData(images=images, labels=labels, classes=STREET_CLASSES)
    for name, adaptive in (("bn", False), ("adaptive", True)):
        torch.manual_seed(0)
        network = train.train(mynetworks.Small(width=8, adaptive=adaptive), data)
        network.save_pretrained(f"runs/{name}")
        assert 0 <= train.accuracy(network, data) <= 1
    photo = np.array(Image.open("photo.jpg").resize((96, 72)))
    result = habn.run(photo, first="mynetworks:bn", second="mynetworks:adaptive")
    assert (result.first.label, result.second.label) == ("BN", "HABN+") and len(result.second.records) == 5
    assert result.first.classes == STREET_CLASSES and result.difference.mean() > 0


def test_python_is_answered_by_a_running_page(folder, page_address):
    program = code("api.md", "python").replace("http://127.0.0.1:7860", page_address)
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said = answer.stdout.splitlines()[1:]  # the first is the client's own
    assert "'camvid-plus'" in said[0] and "'Road'" in said[2] and said[3].startswith("(180, 240)")
    assert 0 < float(said[4]) < 1


def test_javascript_is_answered_by_a_running_page(folder, page_address, node):
    if not (NODE_MODULES / "@gradio" / "client").is_dir():
        pytest.skip("there is no @gradio/client: .ci/run says how it is installed")
    (folder / "node_modules").symlink_to(NODE_MODULES)
    program = code("api.md", "javascript").replace("http://127.0.0.1:7860", page_address)
    (folder / "ask.mjs").write_text(program + "process.exit(0);\n")
    answer = subprocess.run([node, "ask.mjs"], capture_output=True, text=True, check=True, timeout=120)
    share, address = answer.stdout.split()
    assert 0 < float(share) < 1 and address.startswith(page_address)


def test_every_command_that_is_documented_exists():
    pages = [path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")]
    named = {name for text in pages for name in re.findall(r"^    habn (\w[\w-]*)", text, re.MULTILINE)}
    assert {"segment", "paint", "inspect", "serve", "train"} <= named <= {*COMMANDS}


def test_every_documented_flag_of_a_command_is_one(capsys):
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    habn (\w+) (.*)$", text, re.MULTILINE)
    assert len(lines) > 8
    for command, arguments in lines:
        with pytest.raises(SystemExit):
            habn_help(command, arguments)
        offered = capsys.readouterr().out
        for flag in re.findall(r"--[\w-]+", arguments):
            assert flag in offered, f"habn {command} {flag}"


def habn_help(command: str, arguments: str) -> None:
    from habn.__main__ import main

    task = ["segmentation"] if arguments.startswith("segmentation") else []
    main([command, *task, "--help"])

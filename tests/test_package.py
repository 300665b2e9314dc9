"""What `pip install` gives: everything that a working tree can do, from any folder."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import habn
from habn.__main__ import COMMANDS
from habn.comparison.examples import EXAMPLES

ROOT = Path(__file__).parent.parent

PROGRAM = """
import json, sys
import habn
heavy = sorted({"torch", "numpy", "gradio", "matplotlib", "numba"} & {*sys.modules})
from habn.comparison.examples import EXAMPLES
from habn.results import load_results
result = habn.run(habn.Request(sys.argv[1]))
print(json.dumps({
    "file": habn.__file__, "heavy": heavy, "examples": len(EXAMPLES),
    "studies": len(load_results()), "labels": int(result.first.labels.sum()), "layers": len(result.second.records),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel was unpacked, as pip does it."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    wheel.unlink()
    return folder


def run_elsewhere(installed: Path, folder: Path, *command: str) -> str:
    """What a Python of the installed package prints in a folder that has nothing to do with it."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return answer.stdout


def test_the_installed_package_runs_from_another_folder(installed: Path, tmp_path: Path):
    found = json.loads(run_elsewhere(installed, tmp_path, "-c", PROGRAM, str(EXAMPLES[0])))
    assert Path(found["file"]).is_relative_to(installed)
    assert found["heavy"] == []
    assert found["examples"] == len(EXAMPLES) and found["studies"] == len(list(ROOT.glob("results/*.json"))) - 2
    assert found["labels"] == int(habn.run(habn.Request(EXAMPLES[0])).first.labels.sum()) and found["layers"] == 17


def test_the_installed_page_can_be_built_from_another_folder(installed: Path, tmp_path: Path):
    program = "from habn.ui.serving import build_demo; print(len(build_demo().blocks) > 50)"
    assert run_elsewhere(installed, tmp_path, "-c", program).strip() == "True"


def test_the_wheel_says_who_it_is_and_brings_a_command(installed: Path):
    (information,) = installed.glob("habn_explorer-*.dist-info")
    metadata = (information / "METADATA").read_text(encoding="utf-8")
    assert f"\nVersion: {habn.__version__}\n" in metadata
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        name = line.partition(">")[0]
        assert line.startswith("#") or f"\nRequires-Dist: {name}" in metadata
    assert "habn = habn.__main__:main" in (information / "entry_points.txt").read_text()
    assert (installed / "habn" / "py.typed").is_file()


def test_the_command_lists_what_it_can_do(installed: Path, tmp_path: Path):
    listed = run_elsewhere(installed, tmp_path, "-m", "habn", "--help")
    assert all(f"\n  {name} " in listed for name in COMMANDS)


def test_every_public_name_is_where_it_is_said_to_be():
    assert {name: getattr(habn, name).__name__ for name in habn.__all__} == {name: name for name in habn.__all__}
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = habn.walk


def test_type_checkers_are_told_of_the_same_names():
    tree = ast.parse((ROOT / "habn" / "__init__.py").read_text())
    (checking,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {alias.name: line.module for line in checking.body for alias in line.names}
    assert told == habn._PLACES

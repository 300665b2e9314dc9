"""Who imports whom: downwards only, so that every part can be read knowing only what lies below it."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALIASES = (  # of commands, as cards and results name them
    *("habn.train", "habn.evaluate", "habn.sheet", "habn.benchmark"),
    *("habn.study.__main__", "habn.study.style", "habn.results.__main__"),
)
# They go to Numba and NumPy.
COMPILED = ("arrays", "compiled", "evaluation", "loops", "threads")

# From the bottom upwards; a module may import what stands in a lower row, or beside it in a row that is a package.
ROWS = [
    ("habn.errors", "habn.pixels", "habn.settings", "habn.shipped"),
    ("habn.layers", "habn.metrics", "habn.images", "habn.scenes", "habn.serving"),
    ("habn.networks", "habn.hooks", "habn.data"),
    ("habn.checkpoints",),
    ("habn.comparison", "habn.training", "habn.results", "habn.export"),
    ("habn.study", "habn.ui"),
    ("habn.library",),
    ("habn", "habn.commands", "app"),
    ("habn.__main__", *ALIASES),
]


def modules() -> dict[str, Path]:
    paths = [ROOT / "app.py", *(ROOT / "habn").rglob("*.py")]
    names = {p: ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in paths}
    return {name: p for p, name in names.items() if p.exists()}


def imports(path: Path) -> set[str]:
    """Full names of all modules that a file imports, wherever in the file; `from a import b` counts as a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found


MODULES = modules()
IMPORTS = {name: imports(path) for name, path in MODULES.items()}


def place(module: str) -> tuple[int, str]:
    """Row and entry of ROWS that a module belongs to: the most specific one."""
    entries = [(row, entry) for row, names in enumerate(ROWS) for entry in names]
    matching = [(row, e) for row, e in entries if module == e or (e != "habn" and module.startswith(f"{e}."))]
    assert matching, f"{module} has no row in this test; give it one"
    return max(matching, key=lambda found: len(found[1]))


def outside(module: str) -> set[str]:
    """Top-level packages from outside this project and the standard library."""
    return {name.partition(".")[0] for name in IMPORTS[module]} - sys.stdlib_module_names - {"habn", "app"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module):
    row, entry = place(module)
    for imported in IMPORTS[module] & MODULES.keys():
        other_row, other_entry = place(imported)
        assert other_row < row or other_entry == entry, f"{module} imports {imported}, which does not lie below it"


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if re.match(r"habn\.(layers|networks)\b", m) and (m.split(".") + [""] * 3)[2] not in COMPILED],
)
def test_layers_and_networks_need_torch_only(module):
    assert outside(module) <= {"torch"}


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("habn.ui")])
def test_the_page_never_imports_torch(module):
    assert "torch" not in outside(module)


def test_a_record_needs_numpy_only():
    assert outside("habn.hooks.record") == {"numpy"} and not IMPORTS["habn.hooks.record"] & MODULES.keys()


def test_the_architecture_lists_these_floors():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^    (\d)  (.+)$", text, re.MULTILINE)
    floors = [{name.removeprefix("habn.") for name in row} for row in ROWS]
    assert [(int(number), set(names.split())) for number, names in listed] == list(enumerate(floors))[::-1]


def test_the_architecture_names_files_that_are_there():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+/(?:[\w.]+\.\w+)?)`", text))
    assert len(named) > 25 and not [
        name for name in named if not any((ROOT / top / name).exists() for top in ("", "habn"))
    ]


def test_gradio_is_imported_by_app_page_and_server_only():
    users = {module for module in MODULES if {"gradio", "gradio_client"} & outside(module)}
    assert users and all(module == "app" or module.startswith(("habn.ui", "habn.serving")) for module in users)


def test_nothing_but_its_aliases_imports_a_command():
    commands = {module for module in MODULES if module.startswith("habn.commands.")}
    assert commands
    importing = {module for module in MODULES if IMPORTS[module] & {*commands, "app"}}
    assert importing <= {*commands, *ALIASES}
    assert not [alias for alias in ALIASES if not IMPORTS[alias] <= commands]


def test_no_import_comes_back_to_where_it_began():
    graph = {module: {name for name in IMPORTS[module] & MODULES.keys() if name != module} for module in MODULES}
    assert list(TopologicalSorter(graph).static_order())


def test_no_module_is_called_utils():
    assert not [m for m in MODULES if m.rpartition(".")[2] in ("utils", "util", "helpers", "common", "misc")]


def test_the_public_names_are_there_without_gradio_or_matplotlib():
    names = "HyperAdaptiveBatchNorm2d, convert_batch_norm, revert_batch_norm, build_network, load_checkpoint, recording"
    heavy = "{'gradio', 'matplotlib', 'numba'}"
    program = f"import sys; from habn import {names}, Request, run; print({heavy} & {{*sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"

"""One word for one thing, and records that are made by name."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATHS = [ROOT / "app.py", *(ROOT / "habn").rglob("*.py"), *(ROOT / "assets").rglob("*.py")]
TREES = {path: ast.parse(path.read_text()) for path in PATHS}
WIDE = 5  # fields, from which on a record is made by name
LONGEST = 60  # letters of a test's name
FIRST_BY_PLACE = {"Request": 3, "Pair": 3, "Painting": 1, "Variant": 2}  # image, pair, painting; a pair; a style; ...


def fields(node: ast.ClassDef) -> list[str]:
    """Of a dataclass or a named tuple; none of any other class."""
    is_record = any("dataclass" in ast.unparse(line) for line in node.decorator_list)
    if not is_record and "NamedTuple" not in map(ast.unparse, node.bases):
        return []
    return [line.target.id for line in node.body if isinstance(line, ast.AnnAssign) and line.target.id != "_"]


CLASSES = [(path, node) for path, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_no_two_public_classes_have_one_name():
    places = defaultdict(list)
    for path, node in CLASSES:
        if not node.name.startswith("_"):
            places[node.name].append(str(path.relative_to(ROOT)))
    assert len(places) > 50 and not {name: found for name, found in places.items() if len(found) > 1}


def test_wide_records_are_made_by_name():
    wide = {node.name for _, node in CLASSES if len(fields(node)) >= WIDE}
    assert {"Result", "Lesson", "Row", "Answer", "Request"} <= wide
    by_place = [
        f"{path.name}:{call.lineno} {ast.unparse(call.func)}"
        for path, tree in TREES.items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and (name := ast.unparse(call.func).rpartition(".")[2]) in wide
        and len(call.args) > FIRST_BY_PLACE.get(name, 0)
    ]
    assert not by_place


def test_wide_dataclasses_refuse_what_is_given_by_place():
    for path, node in CLASSES:
        lines = [ast.unparse(line) for line in node.decorator_list if "dataclass" in ast.unparse(line)]
        if lines and len(fields(node)) >= WIDE:
            has_mark = any(ast.unparse(line) == "_: KW_ONLY" for line in node.body)
            assert "kw_only=True" in lines[0] or has_mark, f"{path.name}: {node.name}"


def test_names_of_tests_are_short():
    names = [
        node.name.removeprefix("test_")
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(names) > 500 and not [name for name in names if len(name) > LONGEST]

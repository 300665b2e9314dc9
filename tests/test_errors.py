"""What a person can put right is said in a sentence; what is a fault of the program keeps its evidence."""

import ast
import logging
from pathlib import Path

import gradio as gr
import pytest

from habn import HabnError
from habn.commands import end_with_a_sentence, tables, train
from habn.comparison import engine
from habn.comparison.examples import EXAMPLES
from habn.ui import shown, words
from habn.ui.compare.callbacks import on_change

ROOT = Path(__file__).parent.parent
MODULES = [ROOT / "app.py", *(ROOT / "habn").rglob("*.py")]
CATCH_ALL = {
    "habn/images/__init__.py": 1,  # EXIF data, which may be anything
    "habn/layers/conversion.py": 1,  # somebody else's forward, which is tried
    "habn/comparison/own.py": 1,  # a network of somebody else's, whatever it raises
    "habn/images/files.py": 1,  # decoders keep no list of what they raise
    "habn/serving/answers.py": 1,  # an answer has no trace
    "habn/ui/blocks.py": 1,  # nor has that to an event
    "habn/ui/refusals.py": 1,  # the page: a sentence for the visitor, the traceback for the log
    "habn/ui/shown.py": 1,  # the page stays up without its networks, and logs why
}


class Visitor(gr.Request):
    """From Spain, at the page as it opens."""

    def __init__(self):
        self.headers, self.query_params = {"accept-language": "es-ES"}, {}


def test_every_error_that_has_a_name_is_one_for_a_person():
    bases = {
        node.name: {base.id for base in node.bases}
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }
    assert len(bases) > 10 and bases.pop("HabnError") == {"ValueError"}
    assert set().union(*bases.values()) == {"HabnError"}


def test_nothing_else_catches_what_it_does_not_know():
    found = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            is_handler = isinstance(node, ast.ExceptHandler)
            caught = ast.unparse(node.type) if is_handler and node.type else "bare" if is_handler else ""
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "suppress":
                caught = ast.unparse(node.args[0])
            if caught in ("Exception", "BaseException", "bare"):
                name = str(path.relative_to(ROOT))
                found[name] = found.get(name, 0) + 1
    assert found == CATCH_ALL


def test_a_command_ends_with_one_sentence_or_with_the_evidence(tmp_path):
    with pytest.raises(SystemExit, match="^error: .*broken.json is not valid JSON; .*[.]$"):
        (tmp_path / "broken.json").write_text("{")
        tables.main(["--folder", str(tmp_path)])
    with pytest.raises(SystemExit, match="^error: .*No such file"):
        tables.main(["--write", str(tmp_path / "nowhere.md")])
    with pytest.raises(SystemExit, match="^Stopped.$"):
        end_with_a_sentence(lambda: (_ for _ in ()).throw(KeyboardInterrupt))


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch, tmp_path):
    def fail(args):
        raise ValueError("shapes (3,) and (4,) do not fit")

    monkeypatch.setattr(train, "train_segmentation", fail)
    with pytest.raises(ValueError, match="do not fit") as fault:
        train.main(["segmentation", "--steps", "1", "--run", str(tmp_path)])
    assert not isinstance(fault.value, HabnError) and fault.traceback[-1].name == "fail"


def test_a_visitor_reads_one_sentence_and_the_log_has_the_rest(monkeypatch, caplog):
    def fail(request):
        raise ValueError("shapes (3,) and (4,) do not fit")

    monkeypatch.setattr(engine, "run", fail)
    with pytest.raises(gr.Error) as said:
        on_change(None, str(EXAMPLES[0]), "camvid", {}, 70, Visitor())
    assert said.value.message == words.say("page.failed", "es") and not said.value.print_exception
    (entry,) = caplog.records
    assert entry.levelno == logging.ERROR and "on_change" in entry.message
    assert entry.exc_info[0] is ValueError and "do not fit" in str(entry.exc_info[1])


def test_the_page_stays_up_without_its_networks(monkeypatch, caplog):
    for error, has_trace in ((HabnError("No weights; train them."), False), (ValueError("a fault"), True)):

        def fail(request, error=error):
            raise error

        monkeypatch.setattr(engine, "run", fail)
        shown.warm_up()
        assert bool(caplog.records[-1].exc_info) == has_trace and caplog.records[-1].levelno == logging.ERROR

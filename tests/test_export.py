"""Exports: arrays, sheet, program and report say what the result says."""

import io
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from habn.comparison import engine
from habn.comparison.arrays import SCHEMA, View, save_arrays, write_program
from habn.comparison.examples import EXAMPLES
from habn.comparison.painting import Painting
from habn.comparison.sheet import SIZE, draw_sheet, maps_of, write_number
from habn.ui import words
from habn.ui.compare.callbacks import Shown
from habn.ui.export import callbacks
from habn.ui.export.report import write_report
from habn.ui.export.sheet_words import build_sheet, write_equation
from habn.ui.link import Link


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small photo: soft patches of colour, in a place that nobody knows."""
    patches = np.random.default_rng(3).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(patches).resize((64, 48), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="module", params=["camvid", "styles"])
def view(photo: Path, request: pytest.FixtureRequest) -> View:
    painting = Painting("udnie", second_style="houses", second_share=0.25, keep_colours=True)
    return View(engine.run(engine.Request(photo, request.param, painting)), layer=3, channel=7, pixel=(4, 5))


def test_the_arrays_of_the_schema_rebuild_every_output(view: View, tmp_path: Path):
    save_arrays(view, tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file}
    assert str(arrays.pop("schema")) == SCHEMA
    named = re.findall(r"^(\w+(?:, \w+)*)  ", SCHEMA, re.MULTILINE)
    named = {name for line in named for name in line.split(", ")} - {"N_labels"}
    known = {f"{side}{name[1:]}" if name.startswith("N_") else name for name in named for side in ("first", "second")}
    labels = {"first_labels", "second_labels"} if view.result.task == "segmentation" else set()
    if view.result.painting is None:
        known -= set(asdict(Painting())) - {"style"}
    else:
        assert Painting(**{name: arrays[name].item() for name in asdict(Painting())}) == view.result.painting
    assert set(arrays) == known | labels
    for side, record in zip(("first", "second"), view.records, strict=True):
        get = {name: arrays[f"{side}_{name}"] for name in ("context", "static", "slope", "var_floor", "eps", "x", "y")}
        scale, bias, mean, var = get["static"][..., None, None] + get["context"] * get["slope"][..., None, None]
        var = np.maximum(var, get["var_floor"][:, None, None])
        rebuilt = (get["x"] - mean) / np.sqrt(var + get["eps"]) * scale + bias
        np.testing.assert_allclose(rebuilt, get["y"], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(get["y"], record.y)
        assert arrays[f"{side}_delta"].shape[0] == arrays[f"{side}_gates"].shape[0] == 4
    np.testing.assert_array_equal(arrays["image"], view.result.image)
    np.testing.assert_array_equal(arrays["second_picture"], view.result.second.picture)


def test_the_program_prints_the_numbers_of_the_page(
    view: View, photo: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    program = compile(write_program(view, None), "program.py", "exec")
    monkeypatch.setattr("sys.argv", ["program.py", str(photo)])
    exec(program, {})
    printed = capsys.readouterr().out
    for label, record in zip((view.result.first.label, view.result.second.label), view.records, strict=True):
        part = printed.partition(f"{label}: ")[2]
        s, x, y = (float(re.search(rf"{name} = (\S+?)[,\n]", part)[1]) for name in "sxy")
        scale, bias, mean, var = (
            float(re.search(rf"{name} (\S+?),", part)[1]) for name in ("scale", "bias", "mean", "var")
        )
        result = float(re.search(r"bias = (\S+)", part)[1])
        expected = maps_of(record, view.channel)[:, *view.pixel]
        np.testing.assert_allclose([s, scale, bias, mean, var, x, y], expected, rtol=6e-4, atol=1e-6)
        assert result == pytest.approx(record.y[view.channel, *view.pixel], rel=6e-4, abs=1e-4)


def test_the_sheet_is_drawn_at_the_size_of_a4_with_both_networks_maps(view: View):
    sheet = build_sheet(view, Link(layer="any", channel=7), "es")
    figure = draw_sheet(sheet)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    with Image.open(file) as image:
        assert image.size == tuple(int(200 * inches) for inches in SIZE)
        assert len(image.convert("RGB").getcolors(1 << 24)) > 1000
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 4 + 14
    for row, record in enumerate(view.records):
        shown = [images[4 + 2 * q + row] for q in range(7)]
        np.testing.assert_array_equal(np.ma.getdata(np.stack(shown)), maps_of(record, view.channel))
    written = [text.get_text() for text in figure.texts]
    assert f"Capa {view.records[1].name}, canal 7, en la fila 4, columna 5" in written
    for record in view.records:
        assert write_equation(record, view.channel, view.pixel) in written


def test_a_sheet_marks_what_is_not_finite_and_bears_a_flat_layer(view: View):
    sheet = build_sheet(view, Link(), "en")
    record = sheet.sides[1].record
    kept = record.x[7, 4, 5], record.context.copy()
    try:
        record.x[7, 4, 5] = np.nan
        record.context[:] = 0
        draw_sheet(sheet).savefig(io.BytesIO(), format="png")
    finally:
        record.x[7, 4, 5], record.context[:] = kept


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.99, "1.990"), (-12.34567, "−12.35"), (0.000123, "1.23e−4"), (123456, "1.23e+5"), (1234.5, "1234")]
    + [(np.nan, "NaN"), (-np.inf, "−∞")],
)
def test_a_sheet_writes_numbers_as_the_page_does(value: float, text: str):
    assert write_number(value) == text


def test_a_report_holds_everything_it_needs(view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    report = write_report(view, Link(), "en")
    assert not re.search(
        r"""(src|href)=["'](?!data:)|url\((?!["']?data:)|@import|https?://""", report.partition("<script")[0]
    )
    assert report.count("<script") == report.count("</script>") == 2
    style = re.search(r"<style>(.*?)</style>", report, re.DOTALL)[1]
    text = report[: report.index('<script type="application/json"')] + report[report.rindex("<script>") :]
    used = set(re.findall(r"var\((--[\w-]+)\)", style))
    assert used <= set(re.findall(r"(--[\w-]+)\"?[:,]", text)), "what Gradio's theme defines, the report defines"
    for layer, record in enumerate(view.result.second.records):
        held = re.search(rf"<code>{re.escape(record.name)}</code>: ([\d, ]+)</li>", report)[1].split(", ")
        assert 1 <= len(held) <= 3 and (layer != view.layer or "7" in held)


def visitor(**query: str) -> gr.Request:
    return SimpleNamespace(query_params=query, headers={"accept-language": "en"})


def shown(photo: Path) -> Shown:
    result = engine.run(engine.Request(photo, "camvid"))
    return Shown(result.run_id, str(photo), "camvid", Painting())


def test_an_export_is_of_what_the_address_names(photo: Path):
    name = "to_eighth.norm"
    view, _ = callbacks.view_of(shown(photo), visitor(layer=name, channel="9", pixel="1,2"))
    assert (view.records[1].name, view.channel, view.pixel) == (name, 9, (1, 2))
    anything, _ = callbacks.view_of(shown(photo), visitor(layer="attic", channel="9"))
    height, width = anything.records[1].context.shape
    assert anything.pixel == (height // 2, width // 2), "the page shows the middle where nothing is pinned"


def test_the_program_names_an_example_or_asks_for_the_photo(photo: Path, monkeypatch: pytest.MonkeyPatch):
    request = visitor(layer="stem.norm", channel="0", pixel="0,0")
    example = callbacks.on_program(shown(EXAMPLES[0]), request)[1]["value"]
    exec(compile(example, "program.py", "exec"), {})
    upload = compile(callbacks.on_program(shown(photo), request)[1]["value"], "program.py", "exec")
    for given in ([], ["no-such-photo.jpg"]):
        monkeypatch.setattr("sys.argv", ["program.py", *given])
        with pytest.raises(SystemExit, match="Name the photo"):
            exec(upload, {})


def test_a_file_is_offered_under_its_name_and_nothing_is_left_over(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    offer, _ = callbacks.on_arrays(shown(photo), visitor(layer="stem.norm", channel="2"))
    assert offer["name"] == "habn-camvid-stem.norm-2.npz" and offer["name"] in offer["text"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [Path(offer["file"]["path"])]


def test_before_the_first_answer_there_is_nothing_to_save():
    with pytest.raises(gr.Error, match=words.say("export.nothing", "en")):
        callbacks.on_sheet(None, visitor())

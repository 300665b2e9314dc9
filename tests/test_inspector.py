"""The inspector's files say what the records say, and its formula is the layer's."""

import json
import math
import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.ui import inspector, words
from habn.ui.inspector import build_inspection
from habn.ui.inspector.encoding import (
    QUANTITIES,
    adaptation_order,
    encode_classes,
    encode_strip,
    encode_view,
    most_adapted_channel,
    most_adapted_layer,
)
from habn.ui.part import compose

FOLDER = Path(inspector.__file__).parent
PURE = [
    FOLDER.parent / "numbers.js",
    *(FOLDER / f"{name}.js" for name in ("formula", "statistics", "files", "colours")),
]
ROWS = ("first", "static", "second", "difference")


@dataclass(frozen=True, eq=False)
class Record:
    """What the inspector reads of a LayerRecord, with that class's formulas written out once more."""

    name: str
    kind: str
    context: np.ndarray
    static: np.ndarray
    slope: np.ndarray
    gates: np.ndarray
    var_floor: np.ndarray
    eps: float
    x: np.ndarray

    @property
    def parameters(self) -> np.ndarray:
        """(4, C, H, W)"""
        parameters = self.static[..., None, None] + self.context * self.slope[..., None, None]
        parameters[3] = np.maximum(parameters[3], self.var_floor[:, None, None])
        return parameters

    @property
    def y(self) -> np.ndarray:
        scale, bias, mean, var = self.parameters
        return ((self.x - mean) / np.sqrt(var + self.eps) * scale + bias).astype(np.float32)

    def maps(self) -> tuple[np.ndarray, np.ndarray]:
        return self.x, self.y

    @property
    def shape(self) -> tuple[int, ...]:
        return self.x.shape

    @property
    def extents(self) -> np.ndarray:
        finite = [values[np.isfinite(values)] for values in self.maps()]
        return np.array([(values.min(), values.max()) for values in finite])

    @property
    def strength(self) -> np.ndarray:
        return self.context.std() * np.abs(self.slope).mean(axis=1) / np.abs(self.static).mean(axis=1)

    @property
    def dead(self) -> bool:
        return bool(np.ptp(self.context) == 0)


def record(kind="habn", seed=0, shape=(5, 12, 16), slope=1.0) -> Record:
    rng = np.random.default_rng(seed)
    channels, height, width = shape
    is_adaptive = kind == "habn"
    static = rng.normal(size=(4, channels))
    static[3] = rng.uniform(0.2, 2, channels)
    return Record(
        name=f"encoder.{seed}.norm",
        kind=kind,
        context=rng.uniform(0, 1, (height, width)).astype(np.float32) * is_adaptive,
        static=static.astype(np.float32),
        slope=(slope * rng.normal(size=(4, channels)) * is_adaptive).astype(np.float32),
        gates=np.full(4, 0.5 * is_adaptive, np.float32),
        var_floor=(0.1 * static[3]).astype(np.float32),
        eps=1e-5,
        x=rng.normal(size=shape).astype(np.float32),
    )


def unpack(content: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    (length,) = struct.unpack("<I", content[4:8])
    header = json.loads(content[8 : 8 + length])
    arrays = {}
    for name, entry in header["arrays"].items():
        dtype = {"float32": "<f4", "uint16": "<u2", "uint8": "u1"}[entry["dtype"]]
        start = 8 + length + entry["offset"]
        arrays[name] = np.frombuffer(content, dtype, int(np.prod(entry["shape"])), start).reshape(entry["shape"])
    return header, arrays


@pytest.fixture
def in_node(node: str, tmp_path: Path) -> Callable:
    """Runs a program, and returns the JSON that it prints; before it stand the pure scripts, and `files`."""

    def run(program: str, **files: bytes):
        read = "const files = {};"
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content)
            read += f"files.{name} = new Uint8Array(require('fs').readFileSync({json.dumps(str(path))})).buffer;"
        script = compose(PURE, {}, {**inspector.CONSTANTS, "LANGUAGE": "en"}) + read + program
        done = subprocess.run([node, "-"], input=script, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_view_holds_the_factors_of_both_networks_for_one_channel():
    first, second = record("bn", 1), record("habn", 2)
    content = encode_view(first, second, 3)
    header, arrays = unpack(content)
    assert content[:4] == b"HABN"
    assert header["shape"] == [12, 16] and header["channel"] == 3 and header["name"] == second.name
    for network, layer in (("first", first), ("second", second)):
        assert header[network] == {"kind": layer.kind, "eps": 1e-5}
        assert np.array_equal(arrays[f"{network}.x"], layer.x[3])
        assert np.array_equal(arrays[f"{network}.y"], layer.y[3])
        for factor in ("static", "slope", "gates", "var_floor"):
            assert np.array_equal(arrays[f"{network}.{factor}"], getattr(layer, factor)), "of all channels"
    assert np.array_equal(arrays["second.context"], second.context)
    assert arrays["first.context"].tolist() == [0], "a map with one value everywhere is sent as that value"


def test_values_that_are_not_finite_keep_the_header_valid_json():
    second = record("habn")
    second.context[2, 3], second.x[1, 0, 0], second.static[0, 1] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        content = encode_view(record("bn"), second, 1)
        strip = encode_strip([record("bn")], [second])
    _, arrays = unpack(content)
    assert np.isnan(arrays["second.context"][2, 3])
    assert arrays["second.x"][0, 0] == np.inf and arrays["second.static"][0, 1] == -np.inf
    for text in (content, strip):
        length = struct.unpack("<I", text[4:8])[0]
        json.loads(text[8 : 8 + length], parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    header, arrays = unpack(strip)
    assert np.count_nonzero(arrays["thumbnails"] == 255) == 1
    x = np.concatenate([record("bn").x.ravel(), second.x[np.isfinite(second.x)]])
    assert arrays["ranges"][0, QUANTITIES.index("x")] == pytest.approx([x.min(), x.max()])


def test_ranges_are_those_of_map_layer_and_network():
    first = [record("bn", seed) for seed in (1, 2)]
    second = [record("habn", seed, slope=5.0) for seed in (3, 4)]
    _, arrays = unpack(encode_strip(first, second))
    ranges, differences = [], []
    for a, b in zip(first, second, strict=True):
        pairs = [(a.context, b.context), *zip(a.parameters, b.parameters, strict=True), (a.x, b.x), (a.y, b.y)]
        ranges.append([(np.min(pair), np.max(pair)) for pair in pairs])
        differences.append([((after - before).min(), (after - before).max()) for before, after in pairs])
    for name, by_layer in (("ranges", np.array(ranges)), ("difference_ranges", np.array(differences))):
        network = np.stack([by_layer[..., 0].min(axis=0), by_layer[..., 1].max(axis=0)], axis=-1)
        assert np.allclose(arrays[name], np.concatenate([by_layer, network[None]]), rtol=1e-5, atol=1e-6), name


def test_a_strip_lists_all_layers_in_order():
    shapes = [(4, 130, 200), (8, 65, 100), (8, 1, 9)]
    second = [record("habn", seed, shape) for seed, shape in enumerate(shapes)]
    second[1] = replace(second[1], context=np.zeros((65, 100), np.float32))
    header, arrays = unpack(encode_strip([record("bn", seed, shape) for seed, shape in enumerate(shapes)], second))
    assert [layer["name"] for layer in header["layers"]] == [layer.name for layer in second]
    assert [layer["shape"] for layer in header["layers"]] == [list(shape) for shape in shapes]
    assert [layer["kinds"] for layer in header["layers"]] == [["bn", "habn"]] * 3
    assert [layer["dead"] for layer in header["layers"]] == [False, True, False]
    assert np.allclose(arrays["strength"], [layer.strength for layer in second])
    sizes = [layer["thumbnail"] for layer in header["layers"]]
    assert all(max(size) <= 64 for size in sizes) and sizes[2] == [1, 9]
    assert arrays["thumbnails"].size == sum(height * width for height, width in sizes)
    smallest = arrays["thumbnails"][-9:]
    orders = np.split(arrays["channel_order"], [4, 12])
    assert [order.tolist() for order in orders] == [adaptation_order(layer).tolist() for layer in second]
    assert np.argmax(smallest) == np.argmax(second[2].context) and smallest.max() == 254 and smallest.min() == 0


def test_the_most_adapted_layer_is_whose_output_moves_most():
    layers = [record("habn", seed, slope=slope) for seed, slope in enumerate((0.1, 2.0, 0.5))]
    assert most_adapted_layer(layers) == 1
    for seed in range(20):
        layer = record("habn", seed, shape=(6, 40, 40), slope=1e-3)
        normalized = (layer.x - layer.x.mean(axis=(1, 2), keepdims=True)) / layer.x.std(axis=(1, 2), keepdims=True)
        x = layer.static[2][:, None, None] + normalized * np.sqrt(layer.static[3])[:, None, None]
        adapted = replace(layer, x=x, context=np.ones((40, 40), np.float32)).y
        by_channel = np.sqrt(((adapted - replace(layer, x=x, slope=0 * layer.slope).y) ** 2).mean(axis=(1, 2)))
        ordered = by_channel[adaptation_order(layer)]
        assert (ordered[:-1] >= 0.98 * ordered[1:]).all() and ordered[0] == by_channel[most_adapted_channel(layer)]


def test_a_view_takes_no_more_than_its_maps():
    first, second = record("habn", 1, (2, 90, 120)), record("habn", 2, (2, 90, 120))
    assert len(encode_view(first, second, 0)) <= 6 * 4 * 90 * 120 + 2048
    assert len(encode_strip([first] * 30, [second] * 30)) <= 30 * (64 * 64 + 500) + 2048


def test_two_networks_that_are_not_alike_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="recorded 1 and 2 layers"):
        encode_strip([record()], [record(), record()])
    with pytest.raises(ValueError, match="differ in shape"):
        encode_view(record(), record(shape=(5, 6, 8)), 0)


def test_the_formula_in_the_browser_equals_the_layer(in_node):
    first, second = record("bn", 1), record("habn", 2, slope=3.0)
    assert (second.parameters[3] == second.var_floor[:, None, None]).any(), "the floor must be in play"
    for channel in range(5):
        rows = in_node(
            "const pack = unpack(files.view); const { networks, maps } = readView(pack);"
            "const n = 12 * 16; const spread = (map) => Array.from({length: n}, (_, i) => at(map, i));"
            "const rebuilt = ['first', 'second'].map((name) => { const net = networks[name];"
            "  return Array.from({length: n}, (_, i) => normalize(net, at(net.x, i), at(net.context, i))); });"
            "console.log(JSON.stringify([maps.map((row) => row.map(spread)), rebuilt]));",
            view=encode_view(first, second, channel),
        )
        maps, rebuilt = (np.array(part) for part in rows)
        static = replace(second, context=np.zeros_like(second.context))
        expected = [
            np.stack([layer.context, *layer.parameters[:, channel], layer.x[channel], layer.y[channel]])
            for layer in (first, static, second)
        ]
        expected.append(expected[2] - expected[0])
        assert np.allclose(maps.reshape(4, 7, 12, 16), np.stack(expected), rtol=1e-5, atol=1e-5)
        assert np.allclose(rebuilt.reshape(2, 12, 16), [first.y[channel], second.y[channel]], rtol=1e-5, atol=1e-5)


def test_the_classes_are_those_at_the_centres_of_a_layer_s_pixels(in_node):
    labels = np.random.default_rng(0).integers(0, 11, (180, 240), np.uint8)
    content = encode_classes(labels, (90, 120), ["Sky", "Road"], np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    header, arrays = unpack(content)
    assert (header["names"], header["colours"], header["shape"]) == (["Sky", "Road"], [[1, 2, 3], [4, 5, 6]], [90, 120])
    assert np.array_equal(arrays["labels"], labels[1::2, 1::2])
    coarse = in_node("console.log(JSON.stringify([...labelsAt(unpack(files.classes), [45, 60])]));", classes=content)
    assert coarse == labels[3::4, 3::4].ravel().tolist()


def why(before: tuple, after: tuple, eps: float) -> tuple[list[float], float]:
    """The attribution of `attribute` in formula.js, in Python, by walking through all 24 orders of exchange.

    `before` and `after` are x, scale, bias, mean and variance of each network at one pixel.
    """

    def evaluate(x, scale, bias, mean, var):
        return (x - mean) / math.sqrt(var + eps) * scale + bias

    own, moved = evaluate(*before), evaluate(after[0], *before[1:])
    shares = [0.0] * 4
    for order in permutations(range(4)):
        terms, y = list(before[1:]), moved
        for k in order:
            terms[k] = after[1 + k]
            shares[k] += (evaluate(after[0], *terms) - y) / 24
            y = evaluate(after[0], *terms)
    return [*shares, moved - own], evaluate(*after) - own


def test_the_gap_at_a_hundred_pixels_is_shared_out_exactly(in_node):
    first, second = record("bn", 1), record("habn", 2, slope=3.0)
    pixels = np.random.default_rng(0).choice(12 * 16, 100, replace=False).tolist()
    answers = in_node(
        f"const view = readView(unpack(files.view)); const {{first, second}} = view.networks; const pixels = {pixels};"
        "console.log(JSON.stringify(pixels.map((i) => attribute(first, second, i))));",
        view=encode_view(first, second, 2),
    )
    for i, answer in zip(pixels, answers, strict=True):
        sides = [
            [
                float(values.reshape(-1, 12 * 16)[k, i])
                for values, k in ((layer.x, 2), *((p, 2) for p in layer.parameters))
            ]
            for layer in (first, second)
        ]
        shares, gap = why(*sides, first.eps)
        assert [*answer["parameters"], answer["input"]] == pytest.approx(shares, rel=1e-4, abs=1e-5)
        assert answer["gap"] == pytest.approx(gap, rel=1e-5, abs=1e-5)
        assert sum(answer["parameters"]) + answer["input"] == pytest.approx(answer["gap"], rel=1e-12, abs=1e-12)
        recorded = second.y[2].flat[i] - first.y[2].flat[i]
        assert answer["gap"] == pytest.approx(recorded, rel=1e-4, abs=1e-5), "and it is the gap of what was recorded"


def test_a_computed_value_shows_recorded_figures_unless_wrong(in_node):
    pairs = "[[1.23449, 1.23451, 1], [1.2344999, 1.2345001, 1], [3e-8, -2e-8, 1], [0.5, 0.51, 1], [NaN, 1, 1]]"
    texts = in_node(f"console.log(JSON.stringify({pairs}.map((pair) => figuresAlike(...pair))));")
    assert texts == [["1.234", "1.235"], ["1.23", "1.23"], ["0", "0"], ["0.5000", "0.5100"], ["NaN", "1.000"]]


def test_a_histogram_counts_the_chosen_finite_pixels(in_node):
    shares, flat, none = in_node(
        "const map = Float32Array.from([0, 1, 2, 3, NaN, 9]); const all = new Array(6).fill(true);"
        "console.log(JSON.stringify([histogram(map, [1, 1, 1, 1, 1, 0], [0, 4], 2), histogram(5, all, [5, 5], 3),"
        " histogram(map, new Array(6).fill(false), [0, 4], 2)]));",
    )
    assert shares == [0.5, 0.5] and flat == [0, 1, 0] and none == [0, 0]


def test_flat_and_broken_maps_are_summed_up_as_such(in_node):
    flat, broken, empty, index = in_node(
        "console.log(JSON.stringify([summarize(2.5), summarize(Float32Array.from([1, NaN, 3, Infinity])),"
        " summarize(Float32Array.from([NaN, NaN])), [colourIndex(2.5, 2.5, 2.5), colourIndex(NaN, 0, 1),"
        " colourIndex(-9, 0, 1), colourIndex(9, 0, 1), colourIndex(1, ...scaleEnds(0.5, 4, 1))]]));",
    )
    assert flat == {"low": 2.5, "high": 2.5, "mean": 2.5, "bad": 0}
    assert broken == {"low": 1, "high": 3, "mean": 2, "bad": 2}
    assert empty == {"low": None, "high": None, "mean": None, "bad": 2}
    assert index == [128, 256, 0, 255, 128], "flat, not finite, below, above, at the centre"


def test_what_is_all_but_equal_does_not_become_opposite_colours(in_node):
    near, far, zero = in_node(
        "console.log(JSON.stringify([widened([99.9, 100.1]), widened([-1, 3]), widened([0, 0])]));"
    )
    assert near == pytest.approx([99.4995, 100.5005]) and far == [-1, 3] and zero == [0, 0]


def test_figures_have_four_digits_and_say_what_is_not_finite(in_node):
    values = "[0, -0, 1 / 3, -12.34567, 0.000123, 123456, NaN, -Infinity]"
    figures = in_node(f"console.log(JSON.stringify({values}.map((value) => figure(value))));")
    assert figures == ["0", "0", "0.3333", "−12.35", "1.23e−4", "1.23e+5", "NaN", "−∞"]


def test_the_colours_are_matplotlib_s(in_node):
    program = "console.log(JSON.stringify([CIVIDIS, BLUE_ORANGE].map((digits) => [...paletteOf(digits)])));"
    ours = np.array(in_node(program))
    assert ours.shape == (2, 257)
    rgb = np.stack([ours & 255, ours >> 8 & 255, ours >> 16 & 255], axis=-1)
    blue = matplotlib.colormaps["RdBu"](np.linspace(1, 0.5, 128))
    orange = matplotlib.colormaps["PuOr"](np.linspace(0.5, 0, 128))
    theirs = np.stack([matplotlib.colormaps["cividis"](np.arange(256)), np.concatenate([blue, orange])])
    assert np.abs(rgb[:, :256] - 255 * theirs[..., :3]).max() <= 6


def outputs(second_shape=(5, 12, 16)):
    labels = np.random.default_rng(0).integers(0, 11, (48, 64), np.uint8)
    given = {"labels": labels, "classes": STREET_CLASSES, "palette": STREET_PALETTE}
    first = SimpleNamespace(label="BN", **given, records=(record("bn", 1), record("bn", 2)))
    records = (record("habn", 3), record("habn", 4, second_shape, slope=3.0))
    return first, SimpleNamespace(label="HABN", **given, records=records)


def test_an_inspection_names_its_files_and_chooses_what_adapts_most(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    first, second = outputs()
    value = build_inspection("abc123", first, second)
    assert (value["run"], value["labels"], value["layer"]) == ("abc123", ["BN", "HABN"], 1)
    assert value["channel"] == most_adapted_channel(second.records[1])
    view = Path(value["view"]["path"])
    assert view.read_bytes() == encode_view(first.records[1], second.records[1], value["channel"])
    assert Path(value["strip"]["path"]).read_bytes() == encode_strip(first.records, second.records)
    assert value["photo"] is None and value["correspond"] is True
    build_inspection("abc123", first, second, photo=np.zeros((48, 64, 3), np.uint8))
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert names == ["classes.bin", view.name, "photo.png", "strip.bin"], "nothing is left over"
    for output in (first, second):
        output.labels = None
    assert build_inspection("abc123", first, second)["classes"] is None


@pytest.mark.parametrize(("layer", "channel"), [(2, 0), (-1, 0), (0, 5), ("0", 0), (True, 0), (0, 1.0)])
def test_a_layer_or_channel_that_is_not_there_is_refused(layer, channel, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="There is no (layer|channel) .*; choose a whole number from 0 to"):
        build_inspection("abc123", *outputs(), layer, channel)


def test_the_template_holds_nothing_that_gradio_would_fill_in():
    component = inspector.Inspector(render=False)
    for text in (component.html_template, component.css_template):
        assert "{{" not in text and "${" not in text and "`" not in text and "\\" not in text
    assert " id=" not in component.html_template and "getElementById" not in component.js_on_load


def test_the_scripts_say_what_the_words_hold_and_nothing_else():
    component = inspector.Inspector(render=False)
    scripts = component.js_on_load.partition("\n")[2]
    said = {name for call in re.findall(r"say\(([^`,)]+)", scripts) for name in re.findall(r'"(\w+)"', call)}
    said |= set(re.findall(r'data-word(?:-label)?="(\w+)"', component.html_template))
    said |= {f"title_{quantity}" for quantity in QUANTITIES} | {f"row_{row}" for row in ROWS}
    said |= {f"cause_{cause}" for cause in ("scale", "bias", "mean", "var", "x")}
    terms = set(re.findall(r'data-help="(\w+)"', component.html_template)) | {*QUANTITIES}
    said |= {f"{kind}_{term}" for kind in ("term", "help") for term in terms}
    assert said == set(words.table("inspector")["en"])

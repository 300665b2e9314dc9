"""The page without a server: what its scripts compute in node, held against Python, and what the folder holds."""

import gc
import json
import re
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from habn.data.weather import WEATHER, WeatherSetting, draw_place
from habn.export.graph import BLEND, Knobs
from habn.hooks.intervention import Intervention
from habn.hooks.record import LayerRecord, Maps, find_extent
from habn.images import ImageError, open_image
from habn.images.files import check_size
from habn.pixels import to_image, to_tensor
from habn.ui import words
from habn.ui.inspector.encoding import encode_classes, encode_strip, encode_view
from habn.ui.link import Link
from habn.ui.page import build_page
from habn.ui.site import building, layout, runtime

PAIRS = ("camvid-plus", "styles-in")
UNANSWERED = {
    "habn.ui.compare.callbacks.on_repaint",
    "habn.ui.compare.callbacks.on_story",
    "habn.ui.export.callbacks.make_labels_saver.<locals>.on_labels",
    "habn.ui.export.callbacks.make_picture_saver.<locals>.on_picture",
    "habn.ui.export.callbacks.on_areas",
    "habn.ui.export.callbacks.on_report",
    "habn.ui.export.callbacks.on_sheet",
}
"""Their buttons and parts are left out of the site, which docs/decisions.md says."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site's own files, without networks, examples and runtime."""
    folder = tmp_path_factory.mktemp("site")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves the event loops open that it makes
        building.write_page(folder, PAIRS, {name: {"labels": False, "pairs": {}} for name in building.PATHS})
        gc.collect()
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


@pytest.fixture
def compute(site: Path, node: str, tmp_path: Path) -> Callable[..., np.ndarray]:
    """Runs an expression of a script of the site's on arrays, a, b, ..., and returns the array that it gives."""

    def run(imports: str, expression: str, *arrays: np.ndarray, dtype=np.float32, **given: object) -> np.ndarray:
        lines = ['import fs from "node:fs";', imports, f"const given = {json.dumps(given)};"]
        for name, array in zip("abcdefgh", arrays, strict=False):
            (tmp_path / name).write_bytes(array.tobytes())
            kind = {"f": "Float32Array", "u": "Uint8Array"}[array.dtype.kind]
            lines.append(f'const {name} = new {kind}(Uint8Array.from(fs.readFileSync("{tmp_path / name}")).buffer);')
        lines.append(f"const out = {expression};")
        lines.append(f'fs.writeFileSync("{tmp_path}/out", new Uint8Array(out.buffer, out.byteOffset, out.byteLength));')
        script = site / "test.js"
        script.write_text("\n".join(lines))
        subprocess.run([node, str(script)], check=True, timeout=60, capture_output=True)
        return np.fromfile(tmp_path / "out", dtype)

    return run


def photo(height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(height)
    return to_image(torch.nn.functional.interpolate(torch.from_numpy(random.random((1, 3, 9, 12))), (height, width)))


@pytest.mark.parametrize(("height", "width"), [(700, 1011), (1011, 700), (1990, 1500), (361, 481), (100, 80)])
def test_a_photo_is_reduced_as_pillow_does_it(compute, height, width):
    image = photo(height, width)
    wanted = open_image(image, max_side=480)
    rgba = np.dstack([image, np.full((height, width), 255, np.uint8)])
    got = compute(
        'import { reduce, reducedSize } from "./reduce.js";',
        "reduce({ ...given, data: a }, ...reducedSize(given.width, given.height, 480)).data",
        rgba,
        dtype=np.uint8,
        width=width,
        height=height,
    )
    np.testing.assert_array_equal(got.reshape(wanted.shape), wanted)


def test_a_shuffle_is_torchs(compute):
    got = compute(
        'import { permutation } from "./knobs.js";', "Uint32Array.from(permutation(5400, 0))", dtype=np.uint32
    )
    np.testing.assert_array_equal(got, torch.randperm(5400, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("count", [16, 3000, 3001])
def test_noise_is_torchs(compute, count):
    got = compute('import { normals } from "./weather.js";', f"normals({count}, 0)")
    np.testing.assert_allclose(got, torch.randn(count, generator=torch.Generator().manual_seed(0)), atol=2e-6)


@pytest.mark.parametrize("name", WEATHER)
def test_a_weather_is_the_engines(compute, name):
    pixels = to_tensor(photo(90, 140))
    place = draw_place(name, 0)
    wanted = WeatherSetting(name, 3.5, place).apply(pixels)[0].numpy()
    got = compute(
        'import { applyWeather } from "./weather.js"; import { WEATHER_DRAWS } from "./data.js";',
        "applyWeather(a, { width: 140, height: 90 }, given.weather, WEATHER_DRAWS)",
        pixels[0].contiguous().numpy(),
        weather={"name": name, "strength": 3.5, "place": place},
    )
    assert np.abs(wanted - pixels[0].numpy()).max() > 0.05
    np.testing.assert_allclose(got.reshape(wanted.shape), wanted, atol=1e-5)


def test_knobs_are_the_exports(compute):
    names, sizes = ["a", "b", "c"], [(4, 6), (2, 3)]
    intervention = Intervention((0.5, 0, 2, 1), "shuffled", layers=frozenset({"b", "c"}))
    knobs = Knobs.of(intervention, names, sizes)
    plain = Knobs.as_trained(3, 2)
    trained = {"strength": plain.strength, "blend": plain.blend, "painted": plain.painted}
    trained |= {f"order.{k}": order for k, order in enumerate(plain.order)}
    change = {"strength": intervention.strength, "context": "shuffled", "layers": ["b", "c"], "sizes": sizes}
    got = compute(
        'import { knobsOf } from "./knobs.js";',
        "Float32Array.from(Object.values(knobsOf(given.trained, given.layers, given.change)).flatMap(({ data }) => "
        "Array.from(data, Number)))",
        trained={name: value.tolist() for name, value in trained.items()},
        layers=[{"name": name} for name in names],
        change=change,
    )
    wanted = torch.cat([part.flatten().float() for part in (*knobs[:3], *knobs.order)])
    np.testing.assert_array_equal(got, wanted)


def test_the_blend_has_one_order(site):
    listed = re.search(r"const BLEND = (\[.*?\]);", (site / "knobs.js").read_text())[1]
    assert tuple(json.loads(listed)) == BLEND


def record(seed: int, adapts: bool) -> LayerRecord:
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, np.float32)

    maps = Maps(draw(5, 7, 9), draw(5, 7, 9))
    static = draw(4, 5)
    static[3] = np.abs(static[3])
    return LayerRecord(
        name="stem.norm",
        picture=0,
        kind="habn" if adapts else "bn",
        context=np.abs(draw(7, 9)) if adapts else np.zeros((7, 9), np.float32),
        static=static,
        slope=draw(4, 5) if adapts else np.zeros((4, 5), np.float32),
        delta=np.zeros(4, np.float32),
        gates=np.float32([1, 0, 1, 1]),
        var_floor=np.float32(0.01) * static[3],
        eps=1e-5,
        shape=maps.x.shape,
        extents=np.array([find_extent(values) for values in maps], np.float32),
        maps=lambda: maps,
    )


def unpack(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    length = int.from_bytes(data[4:8], "little")
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, its in header.pop("arrays").items():
        count = int(np.prod(its["shape"]))
        arrays[name] = np.frombuffer(data, its["dtype"], count, 8 + length + its["offset"]).reshape(its["shape"])
    return header, arrays


@pytest.mark.parametrize("kind", ["strip", "view", "classes"])
def test_the_inspectors_files_are_the_servers(compute, kind):
    first, second = record(1, False), record(2, True)
    labels = np.random.default_rng(0).integers(0, 11, (14, 18), np.uint8)
    names, palette = ["Sky", "Road"], np.arange(6, dtype=np.uint8).reshape(2, 3)
    arrays = [array for r in (first, second) for array in (r.context, r.static, r.slope)]
    facts = [dict(name=r.name, kind=r.kind, eps=r.eps, gates=r.gates.tolist()) for r in (first, second)]
    maps = np.concatenate([r.x.ravel() for r in (first, second)] + [r.y.ravel() for r in (first, second)])
    made = {
        "strip": "encodeStrip([records[0]], [records[1]])",
        "view": "encodeView(...records, 3)",
        "classes": "encodeClasses({ labels: h, height: 14, width: 18 }, [7, 9], given.names, given.palette)",
    }
    wanted = {
        "strip": encode_strip([first], [second]),
        "view": encode_view(first, second, 3),
        "classes": encode_classes(labels, (7, 9), names, palette),
    }
    records = (
        "const parts = [[a, b, c], [d, e, f]]; const map = (k) => g.subarray(k * 315, (k + 1) * 315);"
        "const records = given.facts.map((its, k) => ({ ...its, varianceFloor: 0.01, channels: 5, height: 7, width: 9,"
        "context: parts[k][0], fixed: parts[k][1], slope: parts[k][2], x: map(k), y: map(2 + k) }));"
    )
    got = compute(
        'import { encodeClasses, encodeStrip, encodeView } from "./records.js";',
        f"(() => {{ {records} return {made[kind]}; }})()",
        *arrays,
        maps,
        labels,
        dtype=np.uint8,
        facts=facts,
        names=names,
        palette=palette.tolist(),
    )
    (got_header, got_arrays), (header, arrays_wanted) = unpack(got.tobytes()), unpack(wanted[kind])
    assert got_header.keys() == header.keys()
    assert kind == "view" or got_header == header
    assert got_arrays.keys() == arrays_wanted.keys()
    for name, array in arrays_wanted.items():
        assert got_arrays[name].dtype == array.dtype and got_arrays[name].shape == array.shape, name
        np.testing.assert_allclose(got_arrays[name], array, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "tab=layers&layer=stem.norm&channel=3&pixel=4,5&zoom=2&overlay=40",
        "tab=nowhere&pixel=1&channel=-1&zoom=3&foo=bar&style=monet",
        "pair=styles-in&style=udnie&style_strength=40&second_style=houses&second_share=101&colours=photo",
        "weather=haze&strength=2.5&place=0.25,0.75&scale=0&var=2.1&context=painted&layers=a.b,c",
        "hide=tabs,photo&step=6&__theme=dark&view=x",
        "hide=tabs,nothing&step=7",
    ],
)
def test_an_address_is_read_as_on_the_server(compute, query):
    got = compute(
        'import { parseAddress } from "./address.js";',
        "new TextEncoder().encode(JSON.stringify(parseAddress(given.query)))",
        dtype=np.uint8,
        query=query,
    )
    read = json.loads(got.tobytes())
    wanted = Link.parse(dict(part.split("=") for part in query.split("&") if part))
    for key, value in vars(wanted).items():
        if key != "pair" or "pair=" in query:
            assert read[key] == (list(value) if isinstance(value, tuple) else value), key


def test_arrays_in_a_zip_are_read_by_numpy(compute, tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    got = compute(
        'import { npy, zip } from "./zip.js";',
        'zip({ "a.npy": npy(a, [2, 3]), "b.npy": npy(a.slice(0, 1), []), "ñ.npy": npy(Uint8Array.of(7), [1]) })',
        array,
        dtype=np.uint8,
    )
    (tmp_path / "a.zip").write_bytes(got.tobytes())
    with np.load(tmp_path / "a.zip") as found:
        np.testing.assert_array_equal(found["a"], array)
        assert found["b"].shape == () and found["ñ"].tolist() == [7]


@pytest.mark.parametrize(
    "head", [b"", b"%PDF-1.7", b"<svg>", b"<!doctype html>", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypisom", b"hello"]
)
def test_a_strange_file_is_refused_as_on_the_server(compute, head):
    with pytest.raises(ImageError) as refused:
        open_image(head, max_side=480)
    got = compute(
        'import { formatOf } from "./photo.js";',
        "(() => { try { formatOf(a); } catch (error) { return new TextEncoder().encode(error.key); } })()",
        np.frombuffer(head or b"", np.uint8),
        dtype=np.uint8,
    )
    assert words.table("refusals")["en"][got.tobytes().decode()] == refused.value.sentence


@pytest.mark.parametrize("size", [(15, 100), (17_000, 900), (5001, 5000), (400, 16)])
def test_a_size_is_refused_as_on_the_server(compute, size):
    with pytest.raises(ImageError) as refused:
        check_size(*size)
    got = compute(
        'import { checkSize } from "./photo.js";',
        "(() => { try { checkSize(...given.size); } catch (error) { return new TextEncoder().encode("
        "JSON.stringify([error.key, error.fields])); } })()",
        dtype=np.uint8,
        size=size,
    )
    key, fields = json.loads(got.tobytes())
    assert (words.table("refusals")["en"][key], fields) == (refused.value.sentence, refused.value.fields)


def test_every_callback_of_the_page_has_an_answer(site):
    described = json.loads(re.search(r"^export const PAGE = (.*);$", (site / "data.js").read_text(), re.MULTILINE)[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        page = build_page()
        asked = {f"{event.fn.__module__}.{event.fn.__qualname__}" for event in page.fns.values() if is_private(event)}
        del page
        gc.collect()
    assert {event["answer"] for event in described["events"] if "answer" in event} == layout.answered()
    assert asked - layout.answered() == UNANSWERED


def is_private(event) -> bool:
    return event.fn is not None and event.api_visibility == "private"


def test_the_site_names_no_other_host(site):
    for path in site.glob("*"):
        if path.suffix in (".js", ".css") and path.name not in ("data.js", "test.js"):
            addresses = set(re.findall(r"\w+://[^\s'\"`)]+", path.read_text()))
            assert addresses <= {"http://www.w3.org/2000/svg"}, path.name


def test_a_new_content_is_a_new_version(site, tmp_path):
    def version() -> str:
        return re.search(r'VERSION = "(habn-\w+)"', (site / "service_worker.js").read_text())[1]

    before = version()
    building._write_service_worker(site)
    same = version()
    (site / "style.css").write_text((site / "style.css").read_text() + "\n")
    building._write_service_worker(site)
    assert before and version() != same


def test_without_npm_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(layout.SiteError, match=r"^The site needs npm, .* install Node\.js\.$"):
        runtime.fetch_runtime(tmp_path)


def test_npm_without_a_network_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name, path=None: "/bin/false")
    with pytest.raises(layout.SiteError, match=r"^npm could not fetch onnxruntime-web .*check the connection\.$"):
        runtime.fetch_runtime(tmp_path)

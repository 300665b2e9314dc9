"""The running page as a program sees it: the named endpoints, bad input, limits, and two clients at once."""

import io
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import numpy as np
import pytest
from gradio.utils import get_function_description
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from habn.comparison import engine
from habn.comparison.examples import EXAMPLES, example_of, labels_of, original_of
from habn.comparison.experiment import run_experiment
from habn.comparison.painting import Painting
from habn.data.segmentation import STREET_PALETTE
from habn.data.weather import WeatherSetting
from habn.hooks.intervention import Intervention
from habn.ui import endpoints
from habn.ui.endpoints import callbacks, values

SCENE = str(EXAMPLES[0])
ROUNDS = 12


@pytest.fixture
def client(page_address: str, tmp_path: Path) -> Iterator[Client]:
    with closing(Client(page_address, download_files=tmp_path, verbose=False)) as client:
        yield client


def read(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_every_sample_of_the_page_of_the_api_runs_as_printed(client: Client, tmp_path: Path):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert endpoints.keys() == {"/networks", "/layers", "/classes", "/compare", "/inspect", "/experiment"}
    (tmp_path / "photo.jpg").write_bytes(Path(SCENE).read_bytes())
    for name, endpoint in endpoints.items():
        given = [
            parameter["parameter_default"] if parameter["parameter_has_default"] else parameter["example_input"]
            for parameter in endpoint["parameters"]
        ]
        if name != "/networks":
            assert given[0]["path"] == "photo.jpg", "a file of the visitor's own"
            given[0] = handle_file(tmp_path / "photo.jpg")
        client.predict(*given, api_name=name)


def compare(client: Client, photo: str | Path, pair: str, style: str = "starry_night"):
    return client.predict(handle_file(photo), pair, style, api_name="/compare")


def test_an_example_is_segmented_in_the_classes_own_colours(client: Client):
    (first, second), difference, figures = compare(client, SCENE, "camvid")
    colours = {tuple(colour) for colour in STREET_PALETTE.tolist()}
    pictures = [read(first), read(second)]
    for picture in pictures:
        assert picture.shape == (360, 480, 3)
        assert {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()} <= colours
    assert figures["task"] == "segmentation"
    assert figures["difference"] == pytest.approx((pictures[0] != pictures[1]).any(axis=2).mean())
    assert read(difference).shape == (360, 480, 3)
    for network in (figures["first"], figures["second"]):
        assert sum(network["areas"].values()) == pytest.approx(1)
        assert 0 < network["mean_iou"] <= 1, "the first example has labels"


def test_an_example_is_known_by_its_bytes(tmp_path: Path):
    copy = tmp_path / "upload.jpg"
    copy.write_bytes(Path(SCENE).read_bytes())
    assert original_of(str(copy)) == SCENE and example_of(str(copy)) == Path(SCENE).stem
    assert np.array_equal(labels_of(str(copy)), labels_of(SCENE))
    copy.unlink()
    assert original_of(str(copy)) == str(copy) and example_of(str(copy)) is None and labels_of(str(copy)) is None


def test_every_labelled_example_has_labels_of_its_own_size():
    labelled = [path for path in EXAMPLES if labels_of(str(path)) is not None]
    assert len(labelled) >= 4
    for path in labelled:
        labels = labels_of(str(path))
        assert labels.shape == read(path).shape[:2]
        assert set(np.unique(labels).tolist()) <= {*range(len(STREET_PALETTE)), 255}


def test_an_example_is_repainted_in_two_styles_that_differ(client: Client):
    stormy, figures = compare(client, SCENE, "styles", "shipwreck")[::2]
    wavy = compare(client, SCENE, "styles", "great_wave")[0]
    assert figures["task"] == "style"
    assert figures["first"]["areas"] == {} and figures["first"]["mean_iou"] is None
    for one, other in zip(stormy, wavy, strict=True):
        assert read(one).shape == (360, 480, 3)
        assert np.abs(read(one).astype(int) - read(other)).mean() > 1


def test_a_painting_is_for_a_program_as_for_a_visitor(client: Client):
    request = (handle_file(SCENE), "styles", "udnie")
    blend = (1, "great_wave", 0.25, True)
    names = ("strength", "second_style", "second_share", "keep_colours")
    painting = Painting("udnie", **dict(zip(names, blend, strict=True)))
    expected = engine.run(engine.Request(SCENE, "styles", painting))
    (first, second), _, _ = client.predict(*request, *blend, api_name="/compare")
    for path, output in ((first, expected.first), (second, expected.second)):
        assert np.abs(read(path).astype(int) - output.picture).mean() < 0.5
    record = expected.second.records[2]
    _, path = client.predict(*request, record.name, *blend, api_name="/inspect")
    with np.load(path) as factors:
        np.testing.assert_allclose(factors["second_static"], record.static, rtol=1e-5)
    before = client.predict(*request, [1] * 4, "own", None, "none", 3, None, *blend, api_name="/experiment")[1][0]
    assert np.abs(read(before).astype(int) - expected.second.picture).mean() < 0.5
    with pytest.raises(AppError, match="strength is 2; it must be a number from 0 to 1"):
        client.predict(*request, 2, api_name="/compare")


def test_inspect_lists_every_layer_and_hands_over_the_factors_of_one(client: Client):
    request = (handle_file(SCENE), "camvid", "starry_night")
    expected = engine.run(engine.Request(SCENE, "camvid", labels=labels_of(SCENE))).second.records
    layers, path = client.predict(*request, expected[3].name, api_name="/inspect")
    assert [layer["name"] for layer in layers] == [record.name for record in expected]
    with np.load(path) as factors:
        np.testing.assert_allclose(factors["second_context"], expected[3].context, atol=1e-3)
        np.testing.assert_array_equal(factors["second_static"], expected[3].static)
        assert factors["first_static"].shape == factors["second_slope"].shape == expected[3].static.shape


def test_a_layer_that_is_not_there_is_refused_with_those_that_are(client: Client):
    with pytest.raises(AppError, match="no layer named 'cellar'.*stem"):
        client.predict(handle_file(SCENE), "camvid", "starry_night", "cellar", api_name="/inspect")


def png(width: int, height: int) -> bytes:
    """The header of a picture of this size, with nothing behind it."""
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0" + b"\0" * 40


UNUSABLE = {
    "text.jpg": b"This is no picture.",
    "empty.png": b"",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
    "cut.jpg": Path(SCENE).read_bytes()[:2000],
    "nothing-wide.png": png(0, 64),
    "too-wide.png": png(50_000, 64),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_is_no_usable_picture_is_refused_in_one_sentence(client: Client, tmp_path: Path, name: str):
    photo = tmp_path / name
    photo.write_bytes(UNUSABLE[name])
    with pytest.raises(AppError) as refusal:
        compare(client, photo, "camvid")
    sentence = str(refusal.value)
    assert 20 < len(sentence) < 200 and sentence.endswith(".") and "\n" not in sentence
    assert "Traceback" not in sentence and "Error" not in sentence


def test_a_web_address_is_not_fetched(client: Client):
    photo = {"path": "http://example.com/photo.jpg", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(AppError, match="Web addresses are not opened"):
        client.predict(photo, "camvid", "starry_night", api_name="/compare")


@pytest.mark.parametrize("place", [2, 3, 4, 8])
def test_nor_is_one_that_stands_where_a_name_or_a_number_should(client: Client, place: int):
    address = {"path": "http://example.com/huge.bin", "meta": {"_type": "gradio.FileData"}}
    values = [handle_file(SCENE), "camvid", "starry_night", [1, 1, 1, 1], "own", None, "haze", 3, None]
    values[place] = address
    with pytest.raises(AppError, match="Web addresses are not opened"):
        client.predict(*values, api_name="/experiment")


def test_no_photo_and_an_unknown_pair_are_refused(client: Client):
    with pytest.raises(AppError, match="There is no photo"):
        client.predict(None, "camvid", "starry_night", api_name="/compare")
    with pytest.raises(AppError, match="nonsense"):
        compare(client, SCENE, "nonsense")


def test_only_the_documented_endpoints_are_offered(client: Client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == {"/networks", "/compare", "/classes", "/layers", "/inspect", "/experiment"}
    assert not client.view_api(return_format="dict")["unnamed_endpoints"]


def ask(page_address: str, *request, **options) -> tuple[int, str]:
    """Status and text of the answer to a raw request."""
    with closing(HTTPConnection(urlsplit(page_address).netloc, timeout=20)) as connection:
        connection.request(*request, **options)
        with connection.getresponse() as response:
            return response.status, response.read().decode()


@pytest.mark.parametrize("address", ["http://example.com/a.png", "https:/example.com", "HTTP://example.com"])
def test_the_server_fetches_no_other_address(page_address: str, address: str):
    refusal = (403, "Other addresses are not fetched here.")
    assert ask(page_address, "GET", f"/gradio_api/file={address}") == refusal


def test_a_body_over_the_limit_is_refused(page_address: str):
    body = b"{" + b" " * 2_000_000 + b"}"
    request = ("POST", "/gradio_api/queue/join")
    headers = {"Content-Type": "application/json"}
    assert ask(page_address, *request, body, headers)[0] == 413
    assert ask(page_address, *request, io.BytesIO(body), headers, encode_chunked=True)[0] == 413


def small_photo(seed: int, height: int, width: int) -> Image.Image:
    """A picture of soft patches of colour."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)


def test_two_clients_at_once_never_see_each_others_results(page_address: str, tmp_path: Path):
    sizes = {"tall": (48, 32), "wide": (32, 40)}

    def visit(name: str) -> list[tuple[Path, np.ndarray]]:
        answers = []
        with closing(Client(page_address, download_files=tmp_path / name, verbose=False)) as client:
            for number in range(ROUNDS):
                photo = tmp_path / f"{name}-{number}.png"
                small_photo(number, *sizes[name]).save(photo)
                (_, second), _, _ = compare(client, photo, "camvid")
                answers.append((photo, read(second)))
        return answers

    with ThreadPoolExecutor(2) as visitors:
        answers = [answer for visit_answers in visitors.map(visit, sizes) for answer in visit_answers]
    assert len(answers) == 2 * ROUNDS
    for photo, picture in answers:
        expected = engine.run(engine.Request(photo, "camvid")).second.picture
        assert picture.shape == expected.shape, photo.name
        assert (picture == expected).all(axis=2).mean() > 0.99, photo.name


def test_an_experiment_says_what_weather_and_freezing_change(client: Client):
    request = (handle_file(SCENE), "camvid", "starry_night")
    answer = client.predict(*request, [0, 0, 0, 0], "own", None, "haze", 4, [0.5, 0.4], api_name="/experiment")
    first, second, changes, figures = answer
    weather = WeatherSetting("haze", 4.0, (0.5, 0.4))
    frozen = Intervention((0, 0, 0, 0))
    asked = engine.Request(SCENE, "camvid", labels=labels_of(SCENE), weather=weather, intervention=frozen)
    expected = run_experiment(asked)
    assert figures["task"] == "segmentation"
    for side, (before, after), change in (("first", first, changes[0]), ("second", second, changes[1])):
        found = getattr(expected, side)
        assert figures[side]["changed"] == pytest.approx((read(before) != read(after)).any(axis=2).mean())
        assert figures[side]["changed"] == pytest.approx(found.share, abs=0.002)
        assert figures[side]["mean_iou"] == pytest.approx(found.mean_iou, abs=0.002)
        assert read(change).shape == (360, 480, 3)
    unchanged = client.predict(*request, [1, 1, 1, 1], "own", None, "none", 3, None, api_name="/experiment")[3]
    assert unchanged["first"]["changed"] == unchanged["second"]["changed"] == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (([1, 1, 1], "own", None, "none", 3, None), "one entry for each of scale, bias, mean and var"),
        (([1, 1, 1, 3], "own", None, "none", 3, None), "four numbers from 0 to 2"),
        (([1, 1, 1, 1], "mean", ["attic"], "none", 3, None), "no HABN layer 'attic'"),
        (([1, 1, 1, 1], "own", None, "haze", 9, None), "between 0 and 5"),
        (([1, 1, 1, 1], "own", None, "haze", 3, [0.5, "x"]), "given in numbers"),
    ],
)
def test_an_experiment_that_makes_no_sense_is_refused_in_one_sentence(client: Client, change: tuple, sentence: str):
    with pytest.raises(AppError, match=sentence):
        client.predict(handle_file(SCENE), "camvid", "starry_night", *change, api_name="/experiment")


def test_every_value_of_every_endpoint_is_described(client: Client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    for name, endpoint in named.items():
        assert len(endpoint["description"]) > 30, name
        for value in (*endpoint["parameters"], *endpoint["returns"]):
            assert len(value["python_type"]["description"]) > 10, f"{name}: {value['label']}"
        needed = [value["parameter_name"] for value in endpoint["parameters"] if not value["parameter_has_default"]]
        assert needed == ([] if name == "/networks" else ["photo"]), name


def test_what_has_a_default_may_be_left_out(client: Client):
    photo = handle_file(SCENE)
    pairs = {network["pair"]: network for network in client.predict(api_name="/networks")}
    assert set(pairs) == set(engine.PAIRS) and pairs["camvid"]["second"] == "spvcnn-habn-camvid"
    assert client.predict(photo, api_name="/experiment")[3]["second"]["changed"] == 0
    layers = client.predict(photo, pair="camvid-plus", api_name="/layers")
    _, path = client.predict(photo, pair="camvid-plus", api_name="/inspect")
    with np.load(path) as factors:
        assert "N_static + N_context * N_slope" in str(factors["schema"])
        assert list(factors["second_context"].shape) in [layer["shape"][1:] for layer in layers]


def test_classes_come_as_an_indexed_picture_with_their_names(client: Client):
    first, second, palette = client.predict(handle_file(SCENE), api_name="/classes")
    expected = engine.run(engine.Request(SCENE, labels=labels_of(SCENE)))
    for path, output in ((first, expected.first), (second, expected.second)):
        assert (read(path) == output.labels).mean() > 0.999
    assert palette[3] == {"class": 3, "name": "Road", "colour": STREET_PALETTE[3].tolist()}
    with pytest.raises(AppError, match="names no classes"):
        client.predict(handle_file(SCENE), "styles", api_name="/classes")


def test_tools_of_assistants_are_told_of_every_input():
    photo, pair = (values.described(gr.Textbox(), text) for text in ("the photo: any", "which two: any"))
    told = endpoints.tell(callbacks.classify, [photo, pair])
    description, parameters, _ = get_function_description(told)
    assert parameters == {"photo": "the photo: any", "pair": "which two: any"} and "Args" not in description
    assert description.startswith("Return the class of each pixel")

"""What the page says and sends of a painting."""

import re
from dataclasses import asdict, replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from habn.comparison.engine import Request, run
from habn.comparison.examples import EXAMPLES
from habn.comparison.experiment import Change, run_experiment
from habn.comparison.painting import Painting, PaintingError
from habn.comparison.request import Result
from habn.data.styles import STYLE_TITLES, STYLES
from habn.hooks.intervention import Intervention
from habn.images import open_image
from habn.ui import panels, pictures, words
from habn.ui.compare import callbacks
from habn.ui.compare.painting import PaintingControls, painter_of, read_painting
from habn.ui.compare.painting.most_adapted import adapts, draw_most_adapted
from habn.ui.experiment.outcome import draw_adaptation_outcome
from habn.ui.learn.callbacks import on_photo_step
from habn.ui.learn.photo import build_last_step
from habn.ui.learn.step import Sayer


@pytest.fixture(scope="module")
def result() -> Result:
    return run(Request(open_image(EXAMPLES[0], 60), "styles", Painting("udnie")))


def test_the_controls_hold_swatch_title_and_painter_of_each_style():
    controls = PaintingControls(render=False)
    script = controls.js_on_load
    assert script.count("data:image/jpeg;base64,") == len(STYLES)
    for style in STYLES:
        assert f"{words.say(f'styles.{style}', 'en')}, {painter_of(style)}" == STYLE_TITLES[style]
        assert painter_of(style) in script and words.say(f"styles.{style}", "es") in script


def test_a_page_without_swatches_has_names_alone(monkeypatch, tmp_path):
    monkeypatch.setattr("habn.ui.compare.painting.SWATCHES", tmp_path)
    assert '"udnie": null' in PaintingControls(render=False).js_on_load


def test_what_the_controls_send_is_a_painting_and_nothing_else():
    painting = Painting("udnie", strength=0.4, second_style="houses", second_share=0.75, keep_colours=True)
    assert read_painting(asdict(painting)) == painting
    for strange in (None, "udnie", ["udnie"], {"style": "udnie", "price": 3}, {"strength": 7}, {"style": None}):
        with pytest.raises(PaintingError):
            read_painting(strange)


def test_a_painting_that_is_refused_leaves_the_answer_and_says_why():
    request = SimpleNamespace(query_params={}, headers={"accept-language": "en"})
    with pytest.warns(UserWarning, match="There is no style 'cubism'"):  # the note in a corner, outside of a page
        photo, *answer = callbacks.on_change(None, str(EXAMPLES[0]), "styles", {"style": "cubism"}, 70, request)
    answer = callbacks.Answer(*answer)
    assert photo is None and "There is no style &#x27;cubism&#x27;" in answer.verdict
    assert all(part == gr.skip() for name, part in answer._asdict().items() if name != "verdict")


def test_another_pair_brings_a_photo_back_that_was_taken_away(result):
    request = SimpleNamespace(query_params={}, headers={"accept-language": "en"})
    shown = callbacks.Shown("", str(EXAMPLES[0]), "styles", Painting())
    photo, *answer = callbacks.on_choice(shown, None, "camvid", {}, 70, request)
    assert photo == str(EXAMPLES[0]) and callbacks.Answer(*answer).shown.pair == "camvid"
    assert callbacks.on_choice(None, None, "camvid", {}, 70, request) == gr.skip()
    assert callbacks.on_change(shown, None, "camvid", {}, 70, request) == gr.skip()


@pytest.mark.parametrize(
    ("painting", "english", "spanish"),
    [
        (Painting("the_scream"), "The Scream", "El grito"),
        (Painting("udnie", strength=1, second_style="the_scream", second_share=0), "Udnie", "Udnie"),
        (
            Painting("udnie", strength=0.6, second_style="the_scream", second_share=0.35, keep_colours=True),
            "Udnie, at 60 %, with 35 % of The Scream, in the photo's colours",
            "Udnie, al 60 %, con un 35 % de El grito, con los colores de la foto",
        ),
    ],
)
def test_a_painting_is_described_in_words(painting, english, spanish):
    for language, text in (("en", english), ("es", spanish)):
        assert panels.describe_painting(painting, language) == text.replace(" %", "\N{NO-BREAK SPACE}%")


CLOSE = {"val": {"style": 0.2, "content": 0.3}}
FAR = {"val": {"style": 0.25, "content": 0.301}}
MEASURED_CLOSE = CLOSE | {"test": {"frechet": 0.9, "style": 0.1, "content": 0.5}}
MEASURED_FAR = FAR | {"test": {"frechet": 1.2, "style": 0.1, "content": 0.4}}


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (
            FAR,
            CLOSE,
            "HABN comes closer to the paintings than BN (distance of style 0.200 against 0.250), and both stay equally",
        ),
        (
            CLOSE,
            {"val": {"style": 0.3, "content": 0.4}},
            "and also stays closer to the photograph (distance of content 0.300 against 0.400).",
        ),
        (CLOSE, FAR, "BN comes closer to the paintings than HABN"),
        (
            MEASURED_FAR,
            MEASURED_CLOSE,
            "HABN comes closer to the paintings than BN (SqueezeNet Fréchet distance 0.900 against 1.200), and BN",
        ),
        (MEASURED_FAR, CLOSE, "(distance of style 0.200 against 0.250)"),
        (CLOSE, CLOSE, "come equally close to the paintings (distance of style 0.200 and 0.200)"),
        ({}, CLOSE, None),
    ],
)
def test_near_the_pair_stands_what_was_measured_of_both_networks(result, first, second, sentence):
    first, second = replace(result.first, metrics=first), replace(result.second, metrics=second)
    result = replace(result, first=first, second=second)
    said = panels.draw_measured(result, "en")
    assert said == "" if sentence is None else sentence in said
    frozen = Change(np.zeros(result.image.shape[:2], np.float32), 0.0, None)
    table = build_last_step(result, frozen, Sayer("en")).question["table"]
    figures = {number for row in table["rows"] for number in row[1:]}
    assert figures == set(re.findall(r"\d\.\d{3}", said)), "the lesson tells the same figures"


def test_the_layer_that_adapts_most_is_shown(monkeypatch, tmp_path, result):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    value = draw_most_adapted(result, "en")
    strengths = [np.linalg.norm(record.strength) for record in result.second.records]
    assert value["layer"] == int(np.argmax(strengths)) and value["run"] == result.run_id
    record = result.second.records[value["layer"]]
    assert value["name"] == record.name and record.name in value["alt"] and record.name in value["caption"]
    assert value["size"] == [60, 45]

    # The first layer adapts scale and mean, the second scale alone, all others nothing.
    records = [replace(record, gates=np.zeros(4, np.float32)) for record in result.second.records]
    records[0].gates[[0, 2]] = records[1].gates[0] = 1
    searched = replace(result, second=replace(result.second, records=tuple(records)))
    kept = draw_most_adapted(searched, "en")["kept"]
    assert "the scale adapt in 2, the bias in 0, the mean in 1, the variance in 0" in kept
    static = replace(result, second=replace(result.second, records=result.first.records))
    assert not adapts(static) and draw_most_adapted(static, "en") is None
    assert not adapts(replace(result, task="segmentation"))


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_lesson_and_experiment_say_so_where_a_pair_has_no_habn(monkeypatch, tmp_path, result, language):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    request = Request(result.image, "styles-in", Painting("udnie"))
    bare = run(request)
    shown = callbacks.Shown(bare.run_id, "photo.jpg", "styles-in", Painting("udnie"))
    visitor = SimpleNamespace(headers={"accept-language": language})
    for step in (5, 6):
        text, inspection, question = on_photo_step(shown, SimpleNamespace(step=step), visitor)
        assert "HABN" in text["note"] and words.say("pairs.styles-in", language) in text["note"]
        assert inspection == gr.skip() and question is None
    for strength in ((1, 1, 1, 1), (0, 0, 0, 0), (2, 1, 1, 1)):
        change = Intervention(strength)
        found = run_experiment(replace(request, intervention=change))
        headline = draw_adaptation_outcome(found, change, language)["headline"]
        assert headline == words.say("experiment.nothing_adapts", language, label="IN")


def test_a_context_map_is_bright_where_it_is_high():
    photo = np.full((20, 40, 3), 128, np.uint8)
    context = np.linspace(0, 1, 8, dtype=np.float32).reshape(1, 8).repeat(4, 0)
    drawn = pictures.draw_context(photo, context).mean((0, 2))
    assert drawn.shape == (40,) and (np.diff(drawn) >= -1).all() and drawn[-1] > drawn[0] + 50
    context[0, 0] = np.nan
    assert pictures.draw_context(photo, context).shape == photo.shape
    assert np.ptp(pictures.draw_context(photo, np.ones((4, 8), np.float32)), axis=(0, 1)).max() == 0

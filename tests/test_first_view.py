"""What the page opens on was measured, and is what the command would choose again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from habn.commands.first_view import is_better
from habn.comparison.engine import run
from habn.comparison.examples import FOLDER
from habn.comparison.first_view import BAR, FirstView, effect, kept_of_photo, load_first_view
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, Request
from habn.shipped import shipped
from habn.ui import panels, words
from habn.ui.compare.story.stops import STOPS, build_stop, has_story
from habn.ui.link import FIRST_VIEW


@pytest.fixture(scope="module")
def request_of_first_view() -> Request:
    return Request(FOLDER / f"{FIRST_VIEW.example}.jpg", FIRST_VIEW.pair, FIRST_VIEW.painting)


def test_the_effect_is_the_median_over_patches():
    black = np.zeros((64, 96, 3), np.uint8)
    white = np.full_like(black, 255)
    assert effect(black, white) == 1 and effect(white, white) == 0
    half = black.copy()
    half[:, :32] = 255
    assert effect(black, half) == 0, "less than half of the patches differ"
    texture = black.copy()
    texture[:, ::2] = 255
    other = np.roll(texture, 1, axis=1)
    assert effect(texture, other) == pytest.approx(0, abs=1e-6), "the eye takes both textures for one"


def test_a_difference_that_keeps_less_of_the_photo_is_not_honest():
    view = FirstView(example="lake_1", pair="styles", style="udnie", effect=0.9, kept=(0.3, 0.4))
    assert view.is_honest and not replace(view, kept=(0.4, 0.3)).is_honest


def test_the_first_view_is_what_was_measured(request_of_first_view: Request):
    measured, result = load_first_view(), run(replace(request_of_first_view, record=False))
    assert FIRST_VIEW.pair == measured.pair and is_better(PAIRS[measured.pair])
    assert effect(result.first.picture, result.second.picture) == pytest.approx(measured.effect, abs=0.005)
    assert kept_of_photo(result) == pytest.approx(measured.kept, abs=0.005)
    assert measured.effect > BAR and measured.is_honest
    listed = json.loads((shipped("assets") / "first_view.json").read_text())["views"]
    assert measured.effect == max(view["effect"] for view in listed)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_first_view_says_in_words_what_was_seen_and_why(request_of_first_view: Request, language: str):
    result = run(replace(request_of_first_view, record=False))
    said = panels.draw_verdict(result, language, FIRST_VIEW.example)
    texts = words.table("compare")[language]
    assert texts[f"seen_{FIRST_VIEW.example}_{FIRST_VIEW.pair}_{FIRST_VIEW.style}"] in said, "look at it and write one"
    assert texts[f"why_{result.first.norm}_{result.second.norm}"] in said
    other = run(replace(request_of_first_view, painting=Painting(FIRST_VIEW.style, strength=0.5), record=False))
    assert "seen_" not in panels.draw_verdict(other, language, FIRST_VIEW.example)
    assert texts["seen_lake_1_styles-plus_houses"] not in panels.draw_verdict(other, language, FIRST_VIEW.example)


def test_every_stop_has_a_sentence_and_frames_that_differ(request_of_first_view: Request, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    request = replace(request_of_first_view, image=np.asarray(run(request_of_first_view).image[::4, ::4]))
    result = run(request)
    assert has_story(result)
    for stop in STOPS:
        value = build_stop(stop, result, request, "en")
        assert value["stop"] == stop and value["sentence"].count("{") == 0
        addresses = {frame["file"]["path"] for frame in value["frames"]}
        assert len(addresses) == len(value["frames"]) >= 2, stop
        assert all(frame["caption"] for frame in value["frames"])


def test_a_street_has_a_story_in_haze_and_no_habn_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    photo = np.asarray(run(Request(FOLDER / "scene_1.jpg", "camvid-plus", record=False)).image[::4, ::4])
    request = Request(photo, "camvid-plus")
    value = build_stop(2, run(request), request, "es")
    assert [frame["caption"].partition(":")[0] for frame in value["frames"]] == [f"Neblina {k} de 5" for k in (0, 2, 4)]
    assert not has_story(run(Request(photo, "styles-in")))

"""Settings of an experiment, as a browser, a program or a link sends them."""

import base64
import math
import re

import numpy as np
import pytest

from habn.data.weather import WeatherSetting
from habn.errors import HabnError
from habn.ui.experiment.settings import (
    LONGEST_SIDE,
    MapRange,
    encode_map,
    read_intervention,
    read_weather,
    settings_of,
)
from habn.ui.link import Link

PLAIN = {"layers": None, "strength": [1, 1, 1, 1], "adapted": [True] * 4, "context": "own", "painted": None}


def painted(levels: np.ndarray) -> dict:
    height, width = levels.shape
    return {"height": height, "width": width, "data": base64.b64encode(levels.tobytes()).decode()}


def test_a_parameter_that_is_not_adapted_stays_frozen():
    settings = PLAIN | {"strength": [2, 1.5, 0, 1], "adapted": [True, False, True, True], "layers": ["stem.norm"]}
    intervention = read_intervention(settings)
    assert intervention.strength == (2, 0, 0, 1)
    assert intervention.layers == {"stem.norm"} and intervention.context == "own"


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-2.0, 5.0)])
def test_a_map_goes_to_the_browser_and_back(ends: tuple[float, float]):
    context = np.linspace(*ends, 240 * 320, dtype=np.float32).reshape(240, 320)
    levels, meaning = encode_map(context)
    assert max(levels.shape) <= LONGEST_SIDE and (meaning.low, meaning.high) == ends
    intervention = read_intervention(PLAIN | {"context": "painted", "painted": painted(levels)}, meaning)
    blocks = context[:, :318].reshape(80, 3, 106, 3).mean((1, 3))
    np.testing.assert_allclose(intervention.painted, blocks, atol=(ends[1] - ends[0]) / 500)


def test_painted_without_a_stroke_is_the_map_as_it_is():
    assert read_intervention(PLAIN | {"context": "painted"}).context == "own"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"strength": [1, 1]}, "must have one entry for each"),
        ({"strength": "1111"}, "The strength must be a list"),
        ({"strength": [1, 1, 1, True]}, "must be given in numbers"),
        ({"context": "upside down"}, "context is 'upside down'"),
        ({"context": "painted", "painted": {"height": 2, "width": 2, "data": "AAA"}}, "cannot be read"),
        ({"context": "painted", "painted": {"height": 2, "width": 2, "data": "AAAA"}}, "a byte for each pixel"),
        ({"context": "painted", "painted": painted(np.zeros((1, 500), np.uint8))}, "at most 120 rows"),
        ({"strength": [1, 1, 1, 10**400]}, "too large a number"),
        ({"context": "painted", "painted": {"height": math.inf, "width": 2, "data": "AAAA"}}, "cannot be read"),
        ({"layers": 7}, "The layers must be a list"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_sentence(change: dict, sentence: str):
    with pytest.raises(HabnError, match=re.escape(sentence)) as refusal:
        read_intervention(PLAIN | change)
    assert "\n" not in str(refusal.value)


def test_a_weather_is_read_with_and_without_a_place():
    assert read_weather({"name": "haze", "strength": 2, "place": None}) == WeatherSetting("haze", 2.0)
    assert read_weather({"name": "haze", "strength": 2, "place": [0, 1]}) == WeatherSetting("haze", 2.0, (0.0, 1.0))
    for wrong in ({}, {"name": "haze"}, {"name": "haze", "strength": 2, "place": [1]}, {"name": "hail", "strength": 2}):
        with pytest.raises(HabnError):
            read_weather(wrong)


def test_a_link_sets_what_it_names_and_nothing_else():
    assert settings_of(Link()) == ({}, {})
    weather, adaptation = settings_of(Link(weather="haze", strength=2.0, place=(0.5, 0.25), bias=0.0, var=1.5))
    assert weather == {"name": "haze", "strength": 2.0, "place": [0.5, 0.25]}
    assert read_intervention(PLAIN | adaptation).strength == (1, 0, 1, 1.5)
    assert settings_of(Link(layers=("a", "b"), context="mean"))[1]["layers"] == ["a", "b"]


def test_the_lowest_and_highest_byte_stand_for_the_ends():
    levels = MapRange(-1.0, 3.0).encode(np.array([[-9.0, -1.0, 1.0, 3.0, 9.0]]))
    assert levels.tolist() == [[0, 0, 128, 255, 255]]

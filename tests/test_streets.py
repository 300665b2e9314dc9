"""A photo that is no street is called so, by what was measured of each network."""

from dataclasses import replace

import numpy as np
import pytest

from habn.comparison.engine import run
from habn.comparison.examples import EXAMPLES, PHOTOGRAPHS
from habn.comparison.request import PAIRS, Request
from habn.comparison.streets import best_threshold, load_sureness, mean_sureness
from habn.ui import panels, words
from habn.ui.compare.callbacks import on_repaint
from habn.ui.shown import request_for


def test_the_threshold_tells_most_of_both_kinds_apart():
    assert 0.5 < best_threshold(np.array([0.9, 0.8, 0.95]), np.array([0.4, 0.5, 0.3])) < 0.8
    shared = best_threshold(np.array([0.9, 0.8, 0.5]), np.array([0.4, 0.6, 0.3]))
    assert 0.6 < shared < 0.8 or 0.4 < shared < 0.5


def test_every_segmentation_network_of_the_page_was_measured():
    names = {name for pair in PAIRS.values() if pair.task == "segmentation" for name in (pair.first, pair.second)}
    assert load_sureness().keys() >= names, "python -m habn street_confidence"
    for measured in load_sureness().values():
        assert measured.others < measured.threshold < measured.streets


@pytest.mark.skipif("lion" not in PHOTOGRAPHS, reason="the installed gradio has no photo of a lion")
@pytest.mark.parametrize("pair", [name for name, pair in PAIRS.items() if pair.task == "segmentation"])
def test_a_lion_is_no_street_and_a_street_is_one(pair: str):
    lion = run(replace(request_for(str(PHOTOGRAPHS["lion"]), pair, None), record=False))
    sure = words.percent(mean_sureness(lion.first.confidence), "en", digits=0)
    said = panels.draw_verdict(lion, "en")
    assert "That is no street" in said and sure in said
    street = run(Request(EXAMPLES[0], pair, record=False))
    if pair.startswith("camvid"):
        assert panels.draw_no_street(street, "en") is None
    labelled = run(replace(request_for(str(EXAMPLES[0]), pair, None), record=False))
    assert panels.draw_no_street(labelled, "es") is None


def test_one_press_leads_to_style_transfer():
    task, pair, painting = on_repaint()
    assert task == "style" and PAIRS[pair["value"]].task == "style" and painting["visible"]

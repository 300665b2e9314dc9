"""Links: a view becomes an address and an address the same view; what an address has wrong is left out and named."""

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import gradio as gr
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habn.comparison import engine
from habn.comparison.examples import EXAMPLES
from habn.comparison.painting import Painting
from habn.data.styles import STYLES
from habn.data.weather import WEATHER
from habn.ui import link
from habn.ui.compare.callbacks import Answer, on_settings, on_shown
from habn.ui.link import FIRST_VIEW, HIDEABLE, TABS, Link, link_of

names = st.from_regex(r"[a-z_]{1,8}(\.[a-z0-9_]{1,8}){0,3}", fullmatch=True)
percent = st.integers(0, 100)
index = st.integers(0, 99_999)


def decimal(high: int) -> st.SearchStrategy[float]:
    return st.integers(0, high * 1000).map(lambda thousandths: thousandths / 1000)


VIEWS = st.builds(
    Link,
    tab=st.sampled_from(TABS),
    example=st.sampled_from([path.stem for path in EXAMPLES]),
    pair=st.sampled_from(list(engine.PAIRS)),
    style=st.sampled_from(STYLES),
    style_strength=percent,
    second_style=st.none() | st.sampled_from(STYLES),
    second_share=percent,
    colours=st.sampled_from(["painting", "photo"]),
    opacity=percent,
    layer=st.none() | names,
    channel=st.none() | index,
    pixel=st.none() | st.tuples(index, index),
    range=st.sampled_from(["map", "layer", "network"]),
    order=st.sampled_from(["depth", "strength"]),
    channels=st.sampled_from(["index", "adapted"]),
    zoom=st.sampled_from([1, 2, 4]),
    overlay=percent,
    weather=st.none() | st.sampled_from(list(WEATHER)),
    strength=st.none() | decimal(5),
    place=st.none() | st.tuples(decimal(1), decimal(1)),
    scale=decimal(2),
    bias=decimal(2),
    mean=decimal(2),
    var=decimal(2),
    context=st.sampled_from(["own", "mean", "shuffled", "inverted"]),
    layers=st.none() | st.lists(names, min_size=1, max_size=4).map(tuple),
    step=st.integers(1, 6),
    hide=st.lists(st.sampled_from(HIDEABLE), unique=True).map(tuple),
    ignored=st.just(()),
)


def parse(query: str) -> Link:
    return Link.parse(dict(parse_qsl(query, keep_blank_values=True)))


@given(VIEWS)
def test_every_view_comes_back_from_its_address(view: Link):
    assert parse(view.query()) == view


@given(VIEWS)
def test_a_view_and_its_painting_say_the_same(view: Link):
    expected = view if view.second_style else replace(view, second_share=Link.second_share)
    assert view.painted(view.painting) == expected
    assert Link().painted(view.painting).painted(None) == Link()


def test_no_percent_is_lost_on_its_way_through_a_painting():
    views = [Link(style_strength=k, second_style="udnie", second_share=k) for k in range(101)]
    assert [Link().painted(view.painting) for view in views] == views


def test_only_the_first_view_needs_no_address():
    assert FIRST_VIEW.query() == "" and parse("") == FIRST_VIEW
    assert parse("advert=1") == replace(FIRST_VIEW, ignored=("advert",))
    assert Link(layer="stem.norm", pixel=(3, 4)).query() == "pair=camvid&layer=stem.norm&pixel=3,4"


@pytest.mark.parametrize("query", ["tab=learn", "example=scene_2", "hide=tabs", "layer=stem.norm"])
def test_an_old_link_opens_what_it_always_opened(query: str):
    view = parse(query)
    assert view.pair == "camvid" and view.example == ("scene_2" if "example" in query else "scene_1")


@given(st.dictionaries(st.sampled_from([key.name for key in fields(Link)]) | st.text(max_size=9), st.text(max_size=20)))
def test_no_address_is_an_error_and_what_is_left_out_is_named(query: dict[str, str]):
    view = Link.parse(query)
    kept = {key: text for key, text in query.items() if key not in view.ignored}
    assert set(view.ignored) <= set(query)
    assert Link.parse(kept) == replace(view, ignored=()) == parse(view.query())


WRONG = """tab=kitchen pair=camvid_ example=../secret opacity=101 opacity=-1 channel=1.0 channel=٣ channel= pixel=3
    pixel=1,2,3 zoom=3 scale=nan var=2.1 scale=1e0 place=0.5,1.5 context=painted layer=<b> step=7 step=0 hide=tabs,roof
    ignored=x nonsense=1 style_strength=101 style_strength=0.5 second_style=cubism second_share=-1 colours=red"""


@pytest.mark.parametrize("entry", WRONG.split())
def test_a_wrong_value_is_left_out_alone(entry: str):
    key, _, text = entry.partition("=")
    assert Link.parse({"overlay": "40", key: text}) == Link(overlay=40, ignored=(key,))


def test_gradio_s_own_keys_are_passed_over():
    assert Link.parse({"__theme": "dark", "view": "api"}) == FIRST_VIEW


def test_a_view_gives_up_what_the_networks_do_not_have():
    records = [SimpleNamespace(name="stem.norm", shape=(8, 30, 40))]
    view = Link(layer="stem.norm", channel=7, pixel=(29, 39))
    assert view.within(records) == view
    assert Link(layer="stem.norm", channel=8, pixel=(30, 0)).within(records) == Link(
        layer="stem.norm", ignored=("channel", "pixel")
    )
    assert Link(layer="attic", channel=1, pixel=(0, 0)).within(records).ignored == ("layer", "channel", "pixel")


def visitor(query: dict[str, str]) -> gr.Request:
    return SimpleNamespace(query_params=query, headers={"accept-language": "en"})


def test_twenty_random_views_open_as_they_were_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    rng = np.random.default_rng(5)
    photo = EXAMPLES[0]
    records = engine.run(
        engine.Request(photo, "styles", Painting("udnie", second_style="houses", second_share=0.35))
    ).second.records
    for _ in range(20):
        record = records[rng.integers(len(records))]
        channels, height, width = record.x.shape
        view = Link(
            pair="styles",
            style="udnie",
            second_style="houses",
            second_share=35,
            layer=record.name,
            channel=int(rng.integers(channels)),
            pixel=(int(rng.integers(height)), int(rng.integers(width))),
            range=str(rng.choice(["map", "layer", "network"])),
            zoom=int(rng.choice([1, 2, 4])),
        )
        request = visitor(dict(parse_qsl(view.query())))
        assert link_of(request) == view
        opened = Answer(*on_settings(request)[1:])
        inspection = on_shown(opened.shown, request).inspector
        assert records[inspection["layer"]].name == view.layer and inspection["channel"] == view.channel
        assert inspection["look"]["pixel"] == list(view.pixel) and inspection["look"]["zoom"] == view.zoom
        assert opened.copy_link == {"complete": True, "entries": view.entries(*opened.copy_link["entries"])}


def test_the_script_knows_what_an_address_leaves_out():
    script = link.head()
    assert script.startswith("<script>") and script.count("<script") == script.count("</script>") == 1
    assert '"opacity": "70"' in script and '"layer"' not in script

"""The page's words: every language says the same things."""

import ast
from inspect import getsource
from string import Formatter

import gradio as gr
import pytest

from habn import images
from habn.comparison.request import KNOWN_PAIRS
from habn.data.segmentation import STREET_CLASSES
from habn.data.styles import STYLES
from habn.data.weather import WEATHER
from habn.errors import HabnError
from habn.images import ImageError
from habn.ui import help, words
from habn.ui.refusals import explain

SENTENCES = {
    repr(node.value)
    for module in (images, images.files)
    for node in ast.walk(ast.parse(getsource(module)))
    if isinstance(node, ast.Constant)
}
PARTS = sorted(path.stem for path in words._FOLDER.glob("*.json"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("part", PARTS)
def test_every_language_has_every_text_with_the_same_fields(part):
    table = words.table(part)
    assert set(table) == set(words.LANGUAGES)
    english = table["en"]
    for language, texts in table.items():
        assert texts.keys() == english.keys(), f"{part}.json differs between en and {language}"
        for name, text in texts.items():
            assert text and (text.strip() or part == "numbers") and fields(text) == fields(english[name]), (
                f"{part}.{name} in {language}"
            )


def test_every_class_style_pair_and_term_has_its_words():
    assert words.table("classes")["en"].keys() == {*STREET_CLASSES}
    assert words.table("styles")["en"].keys() == {*STYLES}
    assert words.table("pairs")["en"].keys() == KNOWN_PAIRS.keys()
    assert words.table("help")["en"].keys() == {"explain", *help.TERMS, *(f"{term}_term" for term in help.TERMS)}


@pytest.mark.parametrize("name", words.table("refusals")["en"])
def test_every_refusal_of_a_photo_is_translated_as_images_words_it(name):
    english = words.table("refusals")["en"][name]
    assert repr(english) in SENTENCES
    values = {field: 7 for field in fields(english)}
    error = ImageError(english, **values)
    assert explain(error, "en") == str(error) == english.format(**values)
    assert explain(error, "es") == words.say(f"refusals.{name}", "es", **values) != str(error)


def test_what_is_not_translated_is_said_in_english():
    assert explain(HabnError("Something {else}."), "es") == "Something {else}."
    assert explain(ImageError("Only for {who}.", who="programs"), "es") == "Only for programs."


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_weather_has_a_name_of_its_own_and_one_sentence(language):
    texts = words.table("experiment")[language]
    assert len({texts[name] for name in WEATHER}) == len(WEATHER)
    for name in WEATHER:
        assert texts[name][0].isupper() and "_" not in texts[name]
        assert texts[f"{name}_help"].endswith(".") and texts[f"{name}_help"].count(".") == 1


@pytest.mark.parametrize(
    ("header", "language"),
    [("es-MX,es;q=0.9,en;q=0.8", "es"), ("de-DE,de;q=0.9", "en"), ("fr, es;q=0.5", "en"), ("ES", "es"), ("", "en")],
)
def test_the_browser_is_answered_in_the_language_it_asks_for_first(header, language):
    class Request:
        headers = {"accept-language": header}

    assert words.language_of(Request()) == language
    assert words.language_of(None) == "en"


def test_labels_are_looked_up_by_part_and_name():
    assert isinstance(words.i18n(), gr.I18n)
    assert words.i18n().translations["es"]["page.learn"] == words.say("page.learn", "es") == "Aprender"


def test_numbers_are_written_as_the_language_writes_them():
    space = "\N{NO-BREAK SPACE}"
    assert [words.percent(share, "en") for share in (0, 0.0002, 0.012)] == [
        f"0.0{space}%",
        f"<{space}0.1{space}%",
        f"1.2{space}%",
    ]
    assert words.percent(0.0002, "es") == f"<{space}0,1{space}%"
    assert (words.integer(983239, "en"), words.integer(983239, "es")) == ("983,239", "983\N{NARROW NO-BREAK SPACE}239")
    assert (words.size(99_999, "en"), words.size(1_250_000, "es")) == (f"100.0{space}kB", f"1,2{space}MB")

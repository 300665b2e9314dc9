"""The tab Results: what the studies measured, what the source text claims, and how to measure it again."""

from functools import cache
from pathlib import Path

import gradio as gr

from habn.results import ResultError, load_claims, load_results
from habn.results.shipped import load_shipped_scores
from habn.results.speed import load_speed
from habn.ui import words
from habn.ui.refusals import guarded
from habn.ui.results.panels import draw_error, draw_results

_HERE = Path(__file__).parent


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


class Results(gr.HTML):
    """The tab's content; its value is the HTML of `draw_results`. Its script copies commands."""

    def __init__(self):
        super().__init__(
            html_template='<div class="results">${value}</div>',
            css_template=_read("style.css"),
            js_on_load=_read("script.js"),
            apply_default_css=False,
        )


def build_results(page: gr.Blocks) -> None:
    """Build the tab inside the open `gr.Tab`; it is filled in the visitor's language when `page` is loaded."""
    results = Results()
    page.load(on_load, None, results, queue=False, show_progress="hidden", api_visibility="private")


@guarded
def on_load(request: gr.Request) -> str:
    """All results in the language that the visitor's browser asks for."""
    return draw_in(words.language_of(request))


@cache
def draw_in(language: str) -> str:
    """The tab's content in a language of `words.LANGUAGES`."""
    try:
        studies = load_results()
        shipped = () if studies else load_shipped_scores()
        return str(draw_results(studies, load_claims(), shipped, language, load_speed()))
    except ResultError as error:
        return str(draw_error(str(error), language))

"""The tab Experiment: change the light of the photo, or how a network adapts, and see what it does to the answers."""

import gradio as gr

from habn.ui import words
from habn.ui.experiment import callbacks
from habn.ui.experiment.components import AdaptationControls, ExperimentOutcome, WeatherControls
from habn.ui.shown import ShownHolder


def build_experiment(page: gr.Blocks, shown: ShownHolder, network_slot: str, drawings_at_once: int) -> None:
    """Build the contents of the tab under construction, and bind their events.

    Args:
        page: whose address may say what to start from.
        shown: the comparison that the page shows, a `habn.ui.shown.Shown`; the tab follows it.
        network_slot: concurrency id of the events that run a network, one at a time.
        drawings_at_once: the limit of what only draws.
    """
    gr.Markdown(words.label("experiment.intro"))
    with gr.Tabs() as parts:
        with gr.Tab(words.label("experiment.weather_tab"), id="weather"):
            weather, weathered = _build_part("experiment.weather_help", WeatherControls, rows=2, pictures=3)
        with gr.Tab(words.label("experiment.adaptation_tab"), id="adaptation"):
            adaptation, adapted = _build_part("experiment.adaptation_help", AdaptationControls, rows=1, pictures=4)
    quick = {"show_progress": "hidden", "concurrency_limit": drawings_at_once, "api_visibility": "private"}
    page.load(callbacks.on_link, [weather, adaptation], [parts, weather, adaptation], **quick)
    shown.change(callbacks.on_shown, [shown, weather, adaptation], [weather, adaptation], **quick)
    for controls, outcome, on_input in (
        (weather, weathered, callbacks.on_weather),
        (adaptation, adapted, callbacks.on_adaptation),
    ):
        controls.input(
            on_input,
            [shown, controls],
            [outcome, controls],
            trigger_mode="always_last",
            show_progress="minimal",
            show_progress_on=outcome,
            concurrency_id=network_slot,
            concurrency_limit=1,
            api_visibility="private",
        )


def _build_part(help_key: str, controls: type[gr.HTML], rows: int, pictures: int) -> tuple[gr.HTML, ExperimentOutcome]:
    """What it is about, and below it the controls beside what comes of them: networks, and pictures of each."""
    gr.Markdown(words.label(help_key))
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            built = controls()
        with gr.Column(scale=7, min_width=320):
            outcome = ExperimentOutcome(rows=rows, pictures=pictures)
    return built, outcome

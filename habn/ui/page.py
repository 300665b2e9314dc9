"""The page: its layout, and which change calls which callback."""

from pathlib import Path

import gradio as gr

from habn.data.styles import STYLE_TITLES
from habn.ui import callbacks, words
from habn.ui.endpoints import add_endpoints
from habn.ui.examples import EXAMPLES
from habn.ui.inspector import Inspector
from habn.ui.photo import Photo

TITLE = "HABN Explorer"
INTRODUCTION = """Two neural networks look at the same photo. They differ in one kind of layer only: **BN** (batch
normalization) treats every place of a picture alike, **HABN** (hyper-adaptive batch normalization) adjusts itself from
place to place."""
LAYERS_HELP = """Every normalization layer of both networks, from the first to the last. Pick one, then move over its
maps: the equation below shows what each network really computed for that pixel."""

TASKS = [("Segmentation: name what is where", "segmentation"), ("Style transfer: repaint it", "style")]
FIRST_TASK = "segmentation"
FIRST_STYLE = "starry_night"
FIRST_OPACITY = 70

NETWORK_SLOT = "network"  # one event at a time runs a network
DRAWINGS_AT_ONCE = 4

STYLESHEET = Path(__file__).with_name("style.css")


def build_theme() -> gr.themes.Base:
    """Calm colours for light and dark, and the fonts of the visitor's own system."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        font=("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"),
        font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"),
    )
    return theme.set(
        block_border_width="0px",
        block_shadow="none",
        block_label_border_width="0px",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
    )


def build_page() -> gr.Blocks:
    """Build the whole page; it is served by `launch`, which also takes theme and stylesheet."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 7200)) as page:
        gr.Markdown(f"# {TITLE}\n{INTRODUCTION}", elem_classes="introduction")
        shown = gr.State(None)
        with gr.Tabs():
            with gr.Tab(words.label("page.compare"), id="compare"):
                with gr.Row():
                    with gr.Column(scale=7, min_width=320):
                        sides, slider, verdict, opacity, style = _build_answer()
                    with gr.Column(scale=3, min_width=300):
                        photo, task, pair = _build_question()
                figures, legend, difference = _build_details()
            with gr.Tab(words.label("page.layers"), id="layers"):
                gr.Markdown(LAYERS_HELP)
                caution = gr.HTML(elem_classes="plain")
                inspector = Inspector()
        task.input(callbacks.on_task, task, [pair, style], api_visibility="private", queue=False)
        gr.on(
            [page.load, photo.change, pair.change, style.change],
            callbacks.on_change,
            [photo, pair, style, opacity],
            [shown, sides, slider, opacity, verdict, figures, legend, difference, caution, inspector],
            trigger_mode="always_last",
            show_progress="minimal",
            show_progress_on=slider,
            concurrency_id=NETWORK_SLOT,
            concurrency_limit=1,
            api_visibility="private",
        )
        quick = {"show_progress": "hidden", "concurrency_limit": DRAWINGS_AT_ONCE, "api_visibility": "private"}
        opacity.input(callbacks.on_opacity, [shown, opacity], slider, trigger_mode="always_last", **quick)
        # Gradio re-sends a deferred event with the data of the first one, so "always_last" would lose the second pick.
        inspector.select(callbacks.on_select, shown, inspector, trigger_mode="multiple", **quick)
        add_endpoints(NETWORK_SLOT)
    return page


def _build_answer() -> tuple[gr.components.Component, ...]:
    """The larger half: what the two networks make of the photo, and how it is shown."""
    sides = gr.HTML(elem_classes="plain")
    slider = gr.ImageSlider(
        format="png", show_label=False, interactive=False, max_height=620, elem_classes="answer", buttons=["fullscreen"]
    )
    verdict = gr.HTML(elem_classes="plain")
    opacity = gr.Slider(0, 100, FIRST_OPACITY, step=5, label="Colours over the photo (%)", buttons=[])
    styles = [(title.split(",")[0], name) for name, title in STYLE_TITLES.items()]
    style = gr.Radio(styles, value=FIRST_STYLE, label="In the style of", visible=False)
    return sides, slider, verdict, opacity, style


def _build_question() -> tuple[gr.components.Component, ...]:
    """The smaller half: photo, task and pair of networks."""
    photo = Photo(
        str(EXAMPLES[0]),
        label="Your photo",
        height=230,
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        placeholder="Drop a photo here\n– or –\nclick to choose one",
        alt_text="The photo that both networks look at",
    )
    gr.Examples([str(path) for path in EXAMPLES], photo, label="Or one of these", examples_per_page=len(EXAMPLES))
    task = gr.Radio(TASKS, value=FIRST_TASK, label="Task")
    choices = callbacks.pairs_of(FIRST_TASK)
    pair = gr.Radio(choices, value=choices[0][1], label="Pair of networks")
    return photo, task, pair


def _build_details() -> tuple[gr.components.Component, ...]:
    """Below both: figures of each network, the legend of the colours, and the places where the two differ."""
    with gr.Row(elem_classes="details"):
        with gr.Column(min_width=300):
            figures = gr.HTML(elem_classes="plain")
        with gr.Column(min_width=300):
            difference = gr.Image(
                format="png",
                label="Where they differ (orange)",
                interactive=False,
                buttons=["download", "fullscreen"],
                alt_text="The photo in grey; places where the two networks differ are orange",
            )
        with gr.Column(min_width=300):
            legend = gr.HTML(elem_classes="plain")
    return figures, legend, difference

"""The tab Compare: a photo, and what the two networks make of it. The layout only; `callbacks` says what it does."""

from dataclasses import asdict, dataclass

import gradio as gr

from habn.comparison.examples import FOLDER
from habn.comparison.request import PAIRS
from habn.ui import panels, words
from habn.ui.compare import callbacks
from habn.ui.compare.example_picker import ExamplePicker
from habn.ui.compare.line_control import LineControl
from habn.ui.compare.painting import MostAdapted, PaintingControls
from habn.ui.compare.story import Story
from habn.ui.help import draw_help
from habn.ui.link import FIRST_VIEW
from habn.ui.photo import Photo

TASKS = tuple(task for task in ("own", "segmentation", "style") if callbacks.pairs_of(task))
FIRST = FIRST_VIEW
FIRST_TASK = PAIRS[FIRST.pair].task


@dataclass(frozen=True, kw_only=True)
class Compare:
    """The tab's components: what is asked (photo, task, pair, painting, opacity), and what shows the answer."""

    photo: Photo
    examples: ExamplePicker
    task: gr.Radio
    pair: gr.Radio
    painting: PaintingControls
    opacity: gr.Slider
    story: Story
    repaint: gr.Button
    sides: gr.HTML
    slider: gr.ImageSlider
    verdict: gr.HTML
    figures: gr.HTML
    legend: gr.HTML
    most_adapted: MostAdapted
    measured: gr.HTML
    difference: gr.Image

    def answer(self) -> dict[str, gr.components.Component]:
        """The components that another answer changes, as `callbacks.Answer` names them."""
        return {name: getattr(self, name) for name in callbacks.Answer._fields if hasattr(self, name)}


def build_compare() -> Compare:
    """Build the tab inside the open `gr.Tab`."""
    with gr.Row(elem_classes="compare"):  # the stylesheet says what stands beside what, on a wide screen
        with gr.Column(elem_classes="compare-answer"):
            answer = _build_answer()
        with gr.Column(elem_classes="compare-question"):
            question = _build_question()
        with gr.Column(elem_classes=["compare-details", "part-figures"]):
            details = _build_details()
        with gr.Column(elem_classes=["compare-legend", "part-figures"]):
            legend = gr.HTML(panels.LEGEND_TO_COME if FIRST_TASK == "segmentation" else "", elem_classes="plain")
            most_adapted = MostAdapted(visible=FIRST_TASK == "style")
    return Compare(**answer, **question, **details, legend=legend, most_adapted=most_adapted)


def _build_answer() -> dict[str, gr.components.Component]:
    """The larger part: what the two networks make of the photo, and how it is shown."""
    verdict = gr.HTML(panels.VERDICT_TO_COME, elem_classes=["plain", "verdict-room"])
    story = Story()
    repaint = gr.Button(
        words.label("compare.repaint"), visible=False, size="sm", min_width=0, elem_classes=["repaint", "part-settings"]
    )
    with gr.Row(elem_classes="stage"):  # the painting stands beside the picture that it changes
        with gr.Column(elem_classes="stage-picture"):
            sides = gr.HTML(panels.SIDES_TO_COME, elem_classes="plain")
            slider = gr.ImageSlider(
                format="png",
                show_label=False,
                interactive=False,
                max_height=480,
                elem_classes="answer",
                buttons=["fullscreen"],
            )
            LineControl()
        painting = PaintingControls(asdict(FIRST.painting), visible=FIRST_TASK == "style")
    opacity = gr.Slider(
        *(0, 100, FIRST.opacity),
        step=5,
        label=words.label("compare.opacity"),
        buttons=[],
        elem_classes="part-settings",
        visible=FIRST_TASK == "segmentation",
    )
    return {
        "verdict": verdict,
        "story": story,
        "repaint": repaint,
        "sides": sides,
        "slider": slider,
        "opacity": opacity,
        "painting": painting,
    }


def _build_question() -> dict[str, gr.components.Component]:
    """The smaller part: photo, task and pair of networks."""
    with gr.Column(elem_classes="part-photo"):
        photo = Photo(
            str(FOLDER / f"{FIRST.example}.jpg"),
            label=words.label("compare.photo"),
            height=170,
            sources=["upload", "webcam", "clipboard"],
            buttons=[],
            placeholder=words.label("compare.photo_placeholder"),
            alt_text=words.label("compare.photo_alt"),
        )
        examples = ExamplePicker()
    tasks = [(words.label(f"compare.{task}"), task) for task in TASKS]
    task = gr.Radio(tasks, value=FIRST_TASK, label=words.label("compare.task"), elem_classes="part-settings")
    choices = callbacks.pairs_of(FIRST_TASK)
    gr.HTML(draw_help("pair", "question"), elem_classes=["plain", "field-help", "part-settings"])
    pair = gr.Radio(choices, value=FIRST.pair, label=words.label("compare.pair"), elem_classes="part-settings")
    measured = gr.HTML(visible=False, elem_classes=["plain", "measured", "part-settings"])
    return {"photo": photo, "examples": examples, "task": task, "pair": pair, "measured": measured}


def _build_details() -> dict[str, gr.components.Component]:
    """Below the answer: figures of each network, and the places where the two differ."""
    with gr.Row(elem_classes="details"):
        with gr.Column(min_width=300):
            figures = gr.HTML(panels.FIGURES_TO_COME, elem_classes="plain")
        with gr.Column(min_width=300):
            difference = gr.Image(
                format="png",
                label=words.label("compare.difference"),
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_classes="difference",
                alt_text=words.label("compare.difference_alt"),
            )
    return {"figures": figures, "difference": difference}

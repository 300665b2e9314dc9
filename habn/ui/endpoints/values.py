"""What the endpoints take and give: components that nobody sees, each with a sentence for programs.

Programs are told of them by `view_api()`, the page's API panel and MCP.
"""

from typing import TypeVar

import gradio as gr
from gradio.components import Component

from habn.comparison import engine
from habn.data.styles import STYLES
from habn.data.weather import WEATHER
from habn.hooks.intervention import CONTEXTS
from habn.ui.photo import Photo

NO_WEATHER = "none"
NO_STYLE = "none"
UNPAINTED = [context for context in CONTEXTS if context != "painted"]

Described = TypeVar("Described", bound=Component)


def described(component: Described, text: str) -> Described:
    """The component, with a sentence on it where programs are told of it, which Gradio takes from its schema."""
    schema = component.api_info() | {"description": text, "additional_description": text}
    component.api_info = lambda: schema
    return component


def build_request() -> list[Component]:
    """Photo, pair and style."""
    pairs = list(engine.PAIRS)
    return [
        described(Photo(label="photo"), "the photo: JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF, up to 10 MB"),
        described(gr.Dropdown(pairs, value=pairs[0], label="pair"), "which two networks; /networks lists them"),
        described(gr.Dropdown(list(STYLES), value=STYLES[0], label="style"), "the painting, of a style pair alone"),
    ]


def build_painting() -> list[Component]:
    """How a style pair paints, beside the style."""
    styles = gr.Dropdown([NO_STYLE, *STYLES], value=NO_STYLE, label="second_style")
    return [
        described(gr.Number(1, label="style_strength"), "0, the photo back, to 1, the style as it was learned"),
        described(styles, "a style to blend in, or none"),
        described(gr.Number(0.5, label="second_share"), "of the second style in the blend, 0 to 1"),
        described(
            gr.Checkbox(False, label="keep_colours"), "whether the painting's light and shade get the photo's colours"
        ),
    ]


def build_change() -> list[Component]:
    """What an experiment changes."""
    weathers = gr.Dropdown([NO_WEATHER, *WEATHER], value=NO_WEATHER, label="weather")
    return [
        described(
            gr.JSON([1, 1, 1, 1], label="strengths"),
            "of what HABN adapts of scale, bias, mean and var, 0 to 2 each: 0 freezes, 1 is as learned",
        ),
        described(gr.Dropdown(UNPAINTED, value="own", label="context"), "what becomes of the map s"),
        described(gr.JSON(None, label="layers"), "names of the layers to change, as a list; null for all"),
        described(weathers, "laid over the photo, or none"),
        described(gr.Number(3, label="strength"), "of the weather, 0 to 5"),
        described(gr.JSON(None, label="place"), "its centre, [x, y] from left and top in [0, 1]; null for its own"),
    ]


def build_layer() -> Component:
    return described(
        gr.Textbox("stem.norm", label="layer"),
        "name of a layer; null for the one that adapts most; /layers lists them",
    )


def build_networks() -> Component:
    return described(
        gr.JSON(label="networks"),
        "list of {pair, title, task, first, second, classes}; task is segmentation, style or own, and classes are "
        "those of the owner's networks",
    )


def build_comparison() -> list[Component]:
    """Both pictures, where they differ, and figures."""
    return [
        described(gr.ImageSlider(label="pictures"), "PNG files: what the first and the second network make of it"),
        described(gr.Image(label="difference"), "PNG file: the photo in grey, orange where both differ"),
        described(
            gr.JSON(label="figures"),
            "task, difference (share of the photo, or of the colour range), and first and second: checkpoint, label, "
            "mean_iou, areas by class, seconds and parameters",
        ),
    ]


def build_classes() -> list[Component]:
    """The class of each pixel in both answers, and the palette."""
    return [
        described(gr.File(label="first_classes"), "indexed PNG whose values are the first network's classes"),
        described(gr.File(label="second_classes"), "the same of the second network"),
        described(gr.JSON(label="palette"), "list of {class, name, colour: [red, green, blue]}"),
    ]


def build_layers() -> Component:
    return described(
        gr.JSON(label="layers"),
        "list in depth order of {name, kind, shape: [channels, rows, columns], strength of the adaptation of "
        "scale, bias, mean and var relative to the static parameter, dead: whether s is one value everywhere}",
    )


def build_factors() -> Component:
    return described(gr.File(label="factors"), "NPZ file; its entry `schema` says what is in it")


def build_outcome() -> list[Component]:
    """Answers before and after an experiment, what changed, and figures."""
    changes = gr.ImageSlider(label="changes")
    return [
        described(gr.ImageSlider(label="first"), "PNG files: the first network's answer before and after"),
        described(gr.ImageSlider(label="second"), "the same of the second network"),
        described(changes, "PNG files: what changed in the first and in the second answer"),
        described(
            gr.JSON(label="figures"),
            "task, and first and second: label, changed (share of pixels that changed class, or distance of the "
            "pictures), mean_iou before and after where the photo has labels",
        ),
    ]

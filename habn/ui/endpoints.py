"""The page's named endpoints for programs (`gradio_client`); they do not depend on the layout."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from habn.comparison import engine
from habn.comparison.experiment import Experiment, run_experiment
from habn.comparison.painting import Painting
from habn.comparison.request import RequestError
from habn.data.styles import STYLES
from habn.data.weather import WEATHER
from habn.errors import HabnError
from habn.hooks.intervention import CONTEXTS
from habn.hooks.record import LayerRecord
from habn.layers import PARAMETERS
from habn.ui import pictures
from habn.ui.experiment.settings import read_intervention, read_weather
from habn.ui.photo import Photo
from habn.ui.refusals import guarded
from habn.ui.shown import request_for, run

NO_WEATHER = "none"
NO_STYLE = "none"
UNPAINTED = [context for context in CONTEXTS if context != "painted"]


def add_endpoints(concurrency_id: str) -> None:
    """Add `/compare`, `/inspect` and `/experiment` to the page under construction.

    Args:
        concurrency_id: of the events that run a network, one at a time.
    """
    with gr.Group(visible=False):
        photo = Photo(label="photo")
        pair = gr.Dropdown(list(engine.PAIRS), value=next(iter(engine.PAIRS)), label="pair")
        style = gr.Dropdown(list(STYLES), value=STYLES[0], label="style")
        layer = gr.Textbox(label="layer")
        request = [photo, pair, style]
        # The newest inputs stand last: who gives them by position and knows none of these gets what it always got.
        painting = [
            gr.Number(1, label="style_strength"),
            gr.Dropdown([NO_STYLE, *STYLES], value=NO_STYLE, label="second_style"),
            gr.Number(0.5, label="second_share"),
            gr.Checkbox(False, label="keep_colours"),
        ]
        comparison = [gr.ImageSlider(label="pictures"), gr.Image(label="difference"), gr.JSON(label="figures")]
        inspection = [gr.JSON(label="layers"), gr.File(label="factors")]
        limits = {"concurrency_id": concurrency_id, "concurrency_limit": 1}
        gr.Button().click(compare, [*request, *painting], comparison, api_name="compare", **limits)
        change = [
            gr.JSON([1, 1, 1, 1], label="strengths"),
            gr.Dropdown(UNPAINTED, value="own", label="context"),
            gr.JSON(None, label="layers"),
            gr.Dropdown([NO_WEATHER, *WEATHER], value=NO_WEATHER, label="weather"),
            gr.Number(3, label="strength"),
            gr.JSON(None, label="place"),
        ]
        outcome = [
            gr.ImageSlider(label="first"),
            gr.ImageSlider(label="second"),
            gr.ImageSlider(label="changes"),
            gr.JSON(label="figures"),
        ]
        gr.Button().click(inspect, [*request, layer, *painting], inspection, api_name="inspect", **limits)
        gr.Button().click(experiment, [*request, *change, *painting], outcome, api_name="experiment", **limits)


@guarded
def compare(
    photo: str | None,
    pair: str,
    style: str,
    style_strength: float = 1,
    second_style: str = NO_STYLE,
    second_share: float = 0.5,
    keep_colours: bool = False,
) -> tuple[tuple[str, str], str, dict]:
    """Run both networks of a pair on a photo.

    Returns the two pictures (PNG; class colours or stylized), the map of where they differ, and the figures: task,
    share of the photo that differs, and for each network its checkpoint, label, mIoU (where the photo has labels),
    areas of the classes, seconds and parameters.

    The pairs for style transfer alone use `style` and what follows it: `style_strength`, 0 (the photo back) to 1;
    `second_style`, another style or none, and `second_share`, 0 to 1, of it in the blend; `keep_colours`, whether the
    painting's light and shade are given the photo's colours.
    """
    result = _run(photo, pair, style, style_strength, second_style, second_share, keep_colours)
    figures = {
        "task": result.task,
        "difference": float(result.difference.mean()),
        "first": _figures(result.first),
        "second": _figures(result.second),
    }
    return pictures.draw_pair(result, opacity=100), pictures.draw_difference(result), figures


@guarded
def inspect(
    photo: str | None,
    pair: str,
    style: str,
    layer: str,
    style_strength: float = 1,
    second_style: str = NO_STYLE,
    second_share: float = 0.5,
    keep_colours: bool = False,
) -> tuple[list[dict], str]:
    """Return what a pair's normalization layers did to a photo.

    Returns a summary of all layers in depth order (name, kind, shape, strength of the adaptation of scale, bias, mean
    and variance, whether the context map is constant), and an NPZ file with the factors of `layer` in both networks:
    context (H, W), static and slope (4, C), var_floor (C,), eps. An adapted parameter is static + context * slope, and
    an adapted variance is at least var_floor. `style_strength` and what follows it are as for `/compare`.
    """
    result = _run(photo, pair, style, style_strength, second_style, second_share, keep_colours)
    both = list(zip(result.first.records, result.second.records, strict=True))
    chosen = next((records for records in both if records[1].name == layer), None)
    if chosen is None:
        names = ", ".join(second.name for _, second in both)
        raise gr.Error(f"There is no layer named {layer!r}; choose one of {names}.", print_exception=False)
    summary = [_summary(second) for _, second in both]
    return summary, _save_factors(dict(zip(("first", "second"), chosen, strict=True)))


@guarded
def experiment(
    photo: str | None,
    pair: str,
    style: str,
    strengths: list[float],
    context: str,
    layers: list[str] | None,
    weather: str,
    strength: float,
    place: list[float] | None,
    style_strength: float = 1,
    second_style: str = NO_STYLE,
    second_share: float = 0.5,
    keep_colours: bool = False,
) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str], dict]:
    """Run both networks of a pair on a photo as it is, and again with its weather and their adaptation changed.

    `strengths` multiply what HABN adapts of scale, bias, mean and variance (0 to 2 each; 0 freezes a parameter at its
    static value, 1 leaves it as learned). `context` is what becomes of the map s: own, mean, shuffled or inverted.
    `layers` names the layers to change, null for all (`/inspect` lists them). `weather` is laid over the photo before
    both networks see it, `strength` 0 to 5, its centre at `place`, [x, y] from left and top in [0, 1], or null.
    `style_strength` and what follows it are as for `/compare`.

    Returns each network's pictures before and after (PNG), the maps of what changed in both, and the figures: task,
    and for each network its label, the share of pixels that changed class (for style the mean absolute distance of the
    pictures, in [0, 1]), and mIoU before and after where the photo has labels.
    """
    settings = {"strength": strengths, "adapted": [True] * 4, "context": context, "layers": layers}
    with _refusing():
        photo = _given(photo)
        sky = None if weather == NO_WEATHER else read_weather({"name": weather, "strength": strength, "place": place})
        painting = _painting(style, style_strength, second_style, second_share, keep_colours)
        request = replace(request_for(photo, pair, painting), intervention=read_intervention(settings), weather=sky)
        found = run_experiment(request)
    image, task = found.before.image, found.before.task
    figures = {"task": task, "first": _change(found, "first"), "second": _change(found, "second")}
    first, second = (pictures.publish(pictures.draw_map(image, c.map, task)) for c in (found.first, found.second))
    return (
        (pictures.publish(found.before.first.picture), pictures.publish(found.after.first.picture)),
        (pictures.publish(found.before.second.picture), pictures.publish(found.after.second.picture)),
        (first, second),
        figures,
    )


def _run(
    photo: str | None,
    pair: str,
    style: str,
    strength: float,
    second_style: str,
    second_share: float,
    keep_colours: bool,
) -> engine.Result:
    with _refusing():
        return run(_given(photo), pair, _painting(style, strength, second_style, second_share, keep_colours))


def _given(photo: str | None) -> str:
    if photo is None:
        raise RequestError("There is no photo; give one as a file.")
    return photo


def _painting(style: str, strength: float, second_style: str, second_share: float, keep_colours: bool) -> Painting:
    second = None if second_style == NO_STYLE else second_style
    return Painting(style, strength=strength, second_style=second, second_share=second_share, keep_colours=keep_colours)


@contextmanager
def _refusing() -> Iterator[None]:
    """Hand programs the sentence of a refusal."""
    try:
        yield
    except HabnError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _change(found: Experiment, side: str) -> dict:
    change = getattr(found, side)
    return {"label": getattr(found.after, side).label, "changed": change.share, "mean_iou": change.mean_iou}


def _figures(output: engine.Output) -> dict:
    return {
        "checkpoint": output.checkpoint,
        "label": output.label,
        "mean_iou": output.mean_iou,
        "areas": output.areas,
        "seconds": output.seconds,
        "parameters": output.parameters,
    }


def _summary(record: LayerRecord) -> dict:
    strength = dict(zip(PARAMETERS, map(float, record.strength), strict=True))
    return {
        "name": record.name,
        "kind": record.kind,
        "shape": list(record.shape),
        "strength": strength,
        "dead": record.dead,
    }


def _save_factors(records: dict[str, LayerRecord]) -> str:
    arrays = {
        f"{network}_{factor}": getattr(record, factor)
        for network, record in records.items()
        for factor in ("context", "static", "slope", "var_floor", "eps")
    }
    folder = Path(get_upload_folder()) / "layers" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    path = folder / f"{records['second'].name}.npz"
    np.savez_compressed(path, **arrays)
    return str(path)

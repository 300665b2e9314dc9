"""What the endpoints do. Their docstrings are shown to programs, with what `values` says of each input."""

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
from habn.data.segmentation import STREET_CLASSES
from habn.data.styles import STYLES
from habn.errors import HabnError
from habn.hooks.record import LayerRecord
from habn.layers import PARAMETERS
from habn.ui import pictures, words
from habn.ui.endpoints.values import NO_STYLE, NO_WEATHER
from habn.ui.experiment.settings import read_intervention, read_weather
from habn.ui.inspector.encoding import most_adapted_layer
from habn.ui.refusals import guarded
from habn.ui.shown import request_for, run

FACTORS = """\
What one normalization layer does to one photo. `numpy.load(path)` opens it; nothing is pickled. For each N of first and
second network, float32:

N_context   (h, w)   s, in the layer's own resolution; zeros where the layer has none
N_static    (4, C)   scale, bias, mean, var of each channel before adaptation
N_slope     (4, C)   what one unit of s adds to each
N_var_floor (C,)     the lowest value that an adapted variance may take
N_eps       ()       added to the variance

An adapted parameter is N_static + N_context * N_slope; an adapted variance is at least N_var_floor.
"""


@guarded
def list_networks() -> list[dict]:
    """List the pairs of networks that this page has."""
    return [
        {
            "pair": name,
            "title": words.say(f"pairs.{name}", "en"),
            "task": pair.task,
            "first": pair.first,
            "second": pair.second,
            "classes": list(pair.classes or (STREET_CLASSES if pair.task == "segmentation" else ())),
        }
        for name, pair in engine.PAIRS.items()
    ]


@guarded
def compare(
    photo: str | None,
    pair: str = next(iter(engine.PAIRS)),
    style: str = STYLES[0],
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
def classify(photo: str | None, pair: str = next(iter(engine.PAIRS))) -> tuple[str, str, list[dict]]:
    """Return the class of each pixel, as both networks of a pair for segmentation see it."""
    result = _run(photo, pair)
    output = result.first
    if output.labels is None:
        raise gr.Error(f"The pair {pair!r} names no classes; choose another one.", print_exception=False)
    labels = [(side.labels, side.palette) for side in (result.first, result.second) if side.labels is not None]
    files = [pictures.publish_classes(*side) for side in labels]
    colours = zip(output.classes, output.palette.tolist(), strict=True)
    palette = [{"class": k, "name": name, "colour": colour} for k, (name, colour) in enumerate(colours)]
    return files[0], files[1], palette


@guarded
def list_layers(
    photo: str | None,
    pair: str = next(iter(engine.PAIRS)),
    style: str = STYLES[0],
    style_strength: float = 1,
    second_style: str = NO_STYLE,
    second_share: float = 0.5,
    keep_colours: bool = False,
) -> list[dict]:
    """List the normalization layers of a pair, and how much each adapts on a photo."""
    result = _run(photo, pair, style, style_strength, second_style, second_share, keep_colours)
    return [_summary(record) for record in result.second.records]


@guarded
def inspect(
    photo: str | None,
    pair: str = next(iter(engine.PAIRS)),
    style: str = STYLES[0],
    layer: str | None = None,
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
    if not layer:
        chosen = both[most_adapted_layer(result.second.records)]
    if chosen is None:
        names = ", ".join(second.name for _, second in both)
        raise gr.Error(f"There is no layer named {layer!r}; choose one of {names}.", print_exception=False)
    summary = [_summary(second) for _, second in both]
    return summary, _save_factors(dict(zip(("first", "second"), chosen, strict=True)))


@guarded
def experiment(
    photo: str | None,
    pair: str = next(iter(engine.PAIRS)),
    style: str = STYLES[0],
    strengths: list[float] | None = None,
    context: str = "own",
    layers: list[str] | None = None,
    weather: str = NO_WEATHER,
    strength: float = 3,
    place: list[float] | None = None,
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
    settings = {"strength": strengths or [1, 1, 1, 1], "adapted": [True] * 4, "context": context, "layers": layers}
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
    style: str = STYLES[0],
    strength: float = 1,
    second_style: str = NO_STYLE,
    second_share: float = 0.5,
    keep_colours: bool = False,
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
    arrays["schema"] = FACTORS
    folder = Path(get_upload_folder()) / "layers" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    path = folder / f"{records['second'].name}.npz"
    np.savez_compressed(path, **arrays)
    return str(path)

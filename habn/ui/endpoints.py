"""The page's named endpoints for programs (`gradio_client`); they do not depend on the layout."""

import uuid
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from habn import engine
from habn.data.styles import STYLES
from habn.recording import LayerRecord
from habn.ui import pictures
from habn.ui.callbacks import REFUSALS, run
from habn.ui.photo import Photo


def add_endpoints(concurrency_id: str) -> None:
    """Add `/compare` and `/inspect` to the page under construction.

    Args:
        concurrency_id: of the events that run a network, one at a time.
    """
    with gr.Group(visible=False):
        photo = Photo(label="photo")
        pair = gr.Dropdown(list(engine.PAIRS), value=next(iter(engine.PAIRS)), label="pair")
        style = gr.Dropdown(list(STYLES), value=STYLES[0], label="style")
        layer = gr.Textbox(label="layer")
        request = [photo, pair, style]
        comparison = [gr.ImageSlider(label="pictures"), gr.Image(label="difference"), gr.JSON(label="figures")]
        inspection = [gr.JSON(label="layers"), gr.File(label="factors")]
        limits = {"concurrency_id": concurrency_id, "concurrency_limit": 1}
        gr.Button().click(compare, request, comparison, api_name="compare", **limits)
        gr.Button().click(inspect, [*request, layer], inspection, api_name="inspect", **limits)


def compare(photo: str | None, pair: str, style: str) -> tuple[tuple[str, str], str, dict]:
    """Run both networks of a pair on a photo.

    Returns the two pictures (PNG; class colours or stylized), the map of where they differ, and the figures: task,
    share of the photo that differs, and for each network its checkpoint, label, mIoU (where the photo has labels),
    areas of the classes, seconds and parameters. `style` is used by the pairs for style transfer alone.
    """
    result = _run(photo, pair, style)
    figures = {
        "task": result.task,
        "difference": float(result.difference.mean()),
        "first": _figures(result.first),
        "second": _figures(result.second),
    }
    return pictures.draw_pair(result, opacity=100), pictures.draw_difference(result), figures


def inspect(photo: str | None, pair: str, style: str, layer: str) -> tuple[list[dict], str]:
    """Return what a pair's normalization layers did to a photo.

    Returns a summary of all layers in depth order (name, kind, shape, strength of the adaptation of scale, bias, mean
    and variance, whether the context map is constant), and an NPZ file with the factors of `layer` in both networks:
    context (H, W), static and slope (4, C), var_floor (C,), eps. An adapted parameter is static + context * slope, and
    an adapted variance is at least var_floor.
    """
    result = _run(photo, pair, style)
    both = list(zip(result.first.records, result.second.records, strict=True))
    chosen = next((records for records in both if records[1].name == layer), None)
    if chosen is None:
        names = ", ".join(second.name for _, second in both)
        raise gr.Error(f"There is no layer named {layer!r}; choose one of {names}.", print_exception=False)
    summary = [_summary(second) for _, second in both]
    return summary, _save_factors(dict(zip(("first", "second"), chosen, strict=True)))


def _run(photo: str | None, pair: str, style: str) -> engine.Result:
    if photo is None:
        raise gr.Error("There is no photo; give one as a file.", print_exception=False)
    try:
        return run(photo, pair, style)
    except REFUSALS as error:
        raise gr.Error(str(error), print_exception=False) from error


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
    strength = dict(zip(("scale", "bias", "mean", "var"), map(float, record.strength), strict=True))
    return {
        "name": record.name,
        "kind": record.kind,
        "shape": list(record.x.shape),
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

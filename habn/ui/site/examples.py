"""The examples as the site holds them: photos, labels, and what is ready before a network is there."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from habn.comparison.engine import LONGER_SIDE
from habn.comparison.examples import labels_of
from habn.images import open_image
from habn.ui.compare.painting.most_adapted import adapts, count_kept
from habn.ui.inspector.encoding import most_adapted_channel, most_adapted_layer
from habn.ui.link import Link
from habn.ui.pictures import draw_context
from habn.ui.shown import inspect, run


def write_photo(path: Path, folder: Path) -> dict[str, Any]:
    """Write an example as the networks see it, losslessly, and its labels where it has some."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(open_image(path, max_side=LONGER_SIDE), folder / f"{path.stem}.webp")
    labels = labels_of(str(path))
    if labels is not None:
        _save(labels, folder / f"{path.stem}_labels.webp")
    return {"labels": labels is not None, "pairs": {}}


def write_answer(path: Path, pair: str, folder: Path) -> dict[str, Any]:
    """Write both networks' answers to an example, and the inspector's files of the layer that adapts most.

    Returns:
        What page/shown.js knows of it without a network: how it was painted, that layer, its channel, and all names.
    """
    result = run(str(path), pair, Link().painting)
    folder.mkdir(parents=True, exist_ok=True)
    for side, output in (("first", result.first), ("second", result.second)):
        _save(output.picture if output.labels is None else output.labels, folder / f"{side}.webp")
    records = result.second.records
    layer = most_adapted_layer(records)
    channel = most_adapted_channel(records[layer])
    inspection = inspect(result, layer, channel)
    for name in ("strip", "view", "classes"):
        if inspection[name] is not None:
            shutil.copy(inspection[name]["path"], folder / f"{name}.bin")
    known: dict[str, Any] = {}
    if adapts(result):
        record = records[layer]
        _save(draw_context(result.image, record.context), folder / "most_adapted.webp")
        known["adapted"] = {
            "layer": layer,
            "layerName": record.name,
            "layers": len(records),
            "ends": [float(value) for value in (record.context.min(), record.context.mean(), record.context.max())],
            "counts": count_kept(records),
            "isFlat": bool(record.dead),
            "map": "most_adapted.webp",
        }
    return known | {
        "painting": None if result.painting is None else asdict(result.painting),
        "layer": layer,
        "channel": channel,
        "orders": [most_adapted_channel(record) for record in records],
        "names": [record.name for record in records],
        "channels": [record.shape[0] for record in records],
        "sizes": sorted({record.context.shape for record in records}, reverse=True),
    }


def _save(picture: np.ndarray, path: Path) -> None:
    """A picture of colours or of classes as WebP without loss, a quarter smaller than PNG."""
    Image.fromarray(picture).convert("RGB").save(path, lossless=True, quality=80, method=6)

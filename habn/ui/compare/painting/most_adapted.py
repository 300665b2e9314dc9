"""What is said of the layer that adapts most: its map over the photo, and what the search kept of all layers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from habn.comparison.request import Result
from habn.hooks.record import LayerRecord
from habn.layers import PARAMETERS
from habn.ui import pictures, words
from habn.ui.inspector.encoding import most_adapted_layer

OPEN = 0.5  # a shipped network's gates are 0 or 1, since its search has ended; in one that still searches, about half


def adapts(result: Result) -> bool:
    """Whether there is anything to say: a style pair whose second network has HABN."""
    return result.task == "style" and any(record.gates.any() for record in result.second.records)


def draw_most_adapted(result: Result, language: str) -> dict[str, Any] | None:
    """The value of `MostAdapted`: run, layer (an index), name, size, map (a file), title, alt, caption and kept."""
    if not adapts(result):
        return None
    records = result.second.records
    layer = most_adapted_layer(records)
    record = records[layer]
    extent = (record.context.min(), record.context.mean(), record.context.max())
    low, mean, high = (words.decimals(value, 2, language) for value in extent)
    height, width = result.image.shape[:2]
    caption = "flat_caption" if record.dead else "most_adapted_caption"
    return {
        "run": result.run_id,
        "layer": layer,
        "name": record.name,
        "size": [width, height],
        "map": pictures.publish_file(pictures.draw_context(result.image, record.context)),
        "title": words.say("painting.most_adapted", language, label=result.second.label),
        "alt": words.say("painting.most_adapted_alt", language, layer=record.name, low=low, mean=mean, high=high),
        "caption": words.say(f"painting.{caption}", language, layer=record.name),
        "kept": _say_what_was_kept(records, language),
    }


def _say_what_was_kept(records: Sequence[LayerRecord], language: str) -> str:
    counts = count_kept(records)
    if min(counts) == len(records):
        return words.say("painting.kept_all", language, layers=len(records))
    kept = dict(zip(PARAMETERS, counts, strict=True))
    return words.say("painting.kept_some", language, layers=len(records), **kept)


def count_kept(records: Sequence[LayerRecord]) -> list[int]:
    """In how many layers the search kept scale, bias, mean and var."""
    return (np.stack([record.gates for record in records]) >= OPEN).sum(0).tolist()

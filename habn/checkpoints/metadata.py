"""What the config.json of a checkpoint says beside the network: its metadata."""

from dataclasses import asdict

from habn.data.styles import STYLES


def segmentation_metadata(data: str, classes: tuple[str, ...], recipe, how_trained: dict, metrics: dict) -> dict:
    """config.json's metadata of a segmentation checkpoint.

    metrics: {split: mean_iou and class_iou in percent}, where
    "facade test" is the test split of LabelMeFacade.
    """
    return {
        "task": "segmentation",
        "data": data,
        "classes": list(classes),
        "recipe": asdict(recipe),
        **how_trained,
        "metrics": metrics,
    }


def style_metadata(recipe, how_trained: dict, val: dict, held_out: dict[str, dict] | None = None) -> dict:
    """config.json's metadata of a style checkpoint.

    Args:
        val: figures of the validation photographs' crops.
        held_out: by split, the figures of `habn.training.style_evaluation`, where they were measured.
    """
    metrics = {"val": val, **(held_out or {})}
    return {
        "task": "style",
        "data": "styles",
        "styles": list(STYLES),
        "recipe": asdict(recipe),
        **how_trained,
        "metrics": {split: {k: round(float(v), 4) for k, v in figures.items()} for split, figures in metrics.items()},
    }

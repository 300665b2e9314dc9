"""What a checkpoint says of itself: the metadata in config.json and the model card."""

import json
from dataclasses import asdict

from torch import nn

from habn.data.styles import STYLES
from habn.layers.normalization import NORM_LABELS
from habn.networks import count_parameters

SOURCES = {
    "camvid": "CamVid (Brostow, Fauqueur, Cipolla 2009), the 367 / 101 / 233 split and 11 classes of Badrinarayanan, "
    "Kendall, Cipolla (2015), 360 x 480. For research use; none of its pictures is part of this repository.",
    "facade": "LabelMeFacade (Froehlich and Rodner 2010, from LabelMe, Russell et al. 2008): streets and houses of "
    "many places, with partial labels. For non-commercial research; none of its pictures is part of this repository.",
    "cityscapes": "Cityscapes (Cordts et al. 2016), fine annotations, 19 classes, 512 x 1024. For research use under "
    "its own licence; none of its pictures is part of this repository.",
    "scenes": "Street scenes drawn by this project (`habn.scenes`), with exact labels in CamVid's 11 classes.",
    "styles": "Content: photographs, for this project's own checkpoints 200 of BSDS500 (Arbelaez et al. 2011), for "
    "research and education. Styles: eight paintings in the public domain. Perceptual network: SqueezeNet 1.1 "
    "(Iandola et al. 2016, BSD-2-Clause). None of them is part of this repository.",
}
LIMITS = {
    "segmentation": "Trained on few pictures of few places: expect errors on other cameras, in other "
    "weather and in other countries. Not for driving, nor for any decision about people.",
    "style": "Knows its eight paintings only. Strokes have the right scale where the longer side is about 480 pixels.",
}
BRANCHED = (
    "Branched: the first part of the training is one trunk that the checkpoints of this data set share, so channel k "
    "of one starts as channel k of the other."
)


def segmentation_card(data: str, classes: tuple[str, ...], recipe, how_trained: dict, metrics: dict) -> dict:
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


def style_card(recipe, how_trained: dict, val: dict, held_out: dict[str, dict] | None = None) -> dict:
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


def card_text(network: nn.Module, card: dict) -> str:
    """The model card, Markdown with the Hub's front matter."""
    count = count_parameters(network)
    label = NORM_LABELS[network.norm]
    protocol = BRANCHED if card["trunk"] else "In one run of its own."
    start = (
        f"Started from the weights of `{card['start']['checkpoint']}`."
        if card["start"]
        else "Started from fresh weights."
    )
    scenes = card["training"].get("with_scenes", 0)
    earlier = card["start"]["data"] if card["start"] else None
    foreign = earlier not in (None, card["data"])
    inherited = f" The weights that it started from were trained on: {SOURCES[earlier]}" if foreign else ""
    with_val = " Trained on train and val." if card["training"].get("with_val") else ""
    drawn = f" Besides, {scenes} street scenes drawn by this project were trained on." if scenes else ""
    facade = f" And: {SOURCES['facade']}" if card["training"].get("with_facade") else ""
    total, added = count["parameters"], count["added"]
    by_norm = f", {added:,} of them ({100 * added / (total - added):.2f} %) added by {label}" if added else ""
    return "\n".join(
        [
            "---",
            "license: apache-2.0",
            "library_name: habn-explorer",
            f"pipeline_tag: {'image-segmentation' if card['task'] == 'segmentation' else 'image-to-image'}",
            "tags: [normalization, habn]",
            "---",
            "",
            f"# {network.name} with {label}, trained on {card['data']}",
            "",
            f"{total:,} parameters{by_norm}. Load with `habn.load_checkpoint(folder_or_hub_id)`.",
            "",
            "## Data and its terms",
            "",
            SOURCES[card["data"]] + with_val + drawn + facade + inherited,
            "",
            "## Training",
            "",
            f"{protocol} {start} Adam with decoupled weight decay, cosine schedule; seed {card['training']['seed']}.",
            "",
            "```json",
            json.dumps({key: card[key] for key in ("start", "training", "recipe")}, indent=2),
            "```",
            "",
            "## Measured",
            "",
            *_metrics_table(card),
            "",
            *_channels(card),
            "## Limits",
            "",
            LIMITS[card["task"]],
            "",
        ]
    )


def _channels(card: dict) -> list[str]:
    """How far the channels of a branched network are still those of its BN partner, where that was measured."""
    correlation = card.get("channel_correlation")
    if correlation is None:
        return []
    rows = [f"| {name} | {value:.3f} |" for name, value in correlation.items()]
    return [
        "## Channels",
        "",
        "Correlation over pixels of the input of channel k with that of channel k in the baseline's branch of the "
        "same seed, averaged over channels and a few pictures.",
        "",
        "| layer | correlation |",
        "|---|---|",
        *rows,
        "",
    ]


def _class_table(split: str, figures: dict) -> str:
    rows = [f"| {name} | {value:.2f} |" for name, value in figures["class_iou"].items()]
    return "\n".join(
        [
            f"The {split} split, full size, all {len(rows)} classes counted, void left out; percent.",
            "",
            "| class | IoU |",
            "|---|---|",
            f"| **mean** | **{figures['mean_iou']:.2f}** |",
            *rows,
        ]
    )


def _metrics_table(card: dict) -> list[str]:
    if card["task"] == "segmentation":
        return "\n\n".join(_class_table(split, figures) for split, figures in card["metrics"].items()).split("\n")
    weights = card["recipe"]["style_weights"]
    lines = [
        "val: crops of four validation photographs in every style. Relative distances in SqueezeNet features; lower is "
        "closer.",
    ]
    if "test" in card["metrics"]:
        lines += [
            "",
            "test: whole photographs in every style, as `habn.training.style_evaluation` says; frechet is the "
            "SqueezeNet Fréchet distance to the painting, ssim the likeness to the photograph; more of that is better. "
            f"style is a mean over layers here, and on val their sum in the loss: {sum(weights):g} times as large.",
        ]
    rows = [
        f"| {split} | {name} | {value:.4f} |"
        for split, figures in card["metrics"].items()
        for name, value in figures.items()
    ]
    return [*lines, "", "| split | figure | value |", "|---|---|---|", *rows]

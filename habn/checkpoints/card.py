"""The model card of a checkpoint: the README of its repository on the Hub, made from its metadata."""

import json

from huggingface_hub import EvalResult, ModelCardData
from torch import nn

from habn.layers.normalization import KIND_LABELS, NORM_LABELS, kind_of_network
from habn.networks import count_parameters
from habn.networks.network import Network

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
NAMES = {
    "camvid": "CamVid",
    "facade": "LabelMeFacade",
    "cityscapes": "Cityscapes",
    "scenes": "drawn scenes",
    "styles": "BSDS500 and eight paintings",
}
TAGS = ["normalization", "batch-normalization", "habn"]
FREE = "Network and weights are licensed under Apache-2.0."
BOUND = (
    "The program is licensed under Apache-2.0. The weights were learned from data for research, whose terms may bind "
    "what is done with them: use them for research and education."
)
SNIPPETS = {
    "segmentation": """import habn

result = habn.run("photo.jpg", first="spvcnn-bn-camvid", second="{name}")
print(result.second.areas)
result.save("answers")""",
    "style": """import habn

painting = habn.Painting("udnie", strength=0.8)
result = habn.run("photo.jpg", first="cfanet-bn-styles", second="{name}", painting=painting)
result.save("answers")""",
}
"""What each card shows, with the checkpoint's name; a test runs it."""
BRANCHED = (
    "Branched: the first part of the training is one trunk that the checkpoints of this data set share, so channel k "
    "of one starts as channel k of the other."
)


def write_card(network: Network, metadata: dict, name: str | None = None, owner: str | None = None) -> str:
    """The model card, Markdown with the Hub's front matter.

    Args:
        network: what the card is of.
        metadata: of its checkpoint.
        name: of the checkpoint; None for that of network, normalization and data.
        owner: of its repository on the Hub; None for a folder.
    """
    data = _data_of(metadata)
    name = name or f"{network.name}-{network.norm}-{metadata['data']}"
    return "\n".join(
        [
            "---",
            _front_matter(name, metadata, data, owner),
            "---",
            "",
            f"# {network.name} with {NORM_LABELS[network.norm]}, trained on {metadata['data']}",
            "",
            _say_size(network),
            "",
            "```python",
            SNIPPETS[metadata["task"]].format(name=f"{owner}/{name}" if owner else name),
            "```",
            "",
            "## Data and its terms",
            "",
            _say_data(metadata),
            "",
            FREE if _is_free(data) else BOUND,
            "",
            "## Training",
            "",
            _say_training(metadata),
            "",
            "```json",
            json.dumps({key: metadata[key] for key in ("start", "training", "recipe")}, indent=2),
            "```",
            "",
            "## Measured",
            "",
            *_metrics_table(metadata),
            "",
            *_channels(metadata),
            "## Limits",
            "",
            LIMITS[metadata["task"]],
            "",
        ]
    )


def _data_of(metadata: dict) -> set[str]:
    """All that the weights were trained on, those that they started from included; keys of SOURCES."""
    training, start = metadata["training"], metadata["start"]
    also = {"scenes": training.get("with_scenes"), "facade": training.get("with_facade")}
    earlier = {start["data"]} if start and start["data"] else set()
    return {metadata["data"], *(name for name, used in also.items() if used)} | earlier


def _say_size(network: Network) -> str:
    count = count_parameters(network)
    total, added = count["parameters"], count["added"]
    if not added:
        return f"{total:,} parameters."
    share = 100 * added / (total - added)
    return f"{total:,} parameters, {added:,} of them ({share:.2f} %) added by {NORM_LABELS[network.norm]}."


def _say_data(metadata: dict) -> str:
    training = metadata["training"]
    said = [SOURCES[metadata["data"]]]
    if training.get("with_val"):
        said.append("Trained on train and val.")
    if scenes := training.get("with_scenes", 0):
        said.append(f"Besides, {scenes} street scenes drawn by this project were trained on.")
    if training.get("with_facade"):
        said.append(f"And: {SOURCES['facade']}")
    earlier = metadata["start"]["data"] if metadata["start"] else None
    if earlier is not None and earlier != metadata["data"]:
        said.append(f"The weights that it started from were trained on: {SOURCES[earlier]}")
    return " ".join(said)


def _say_training(metadata: dict) -> str:
    protocol = BRANCHED if metadata["trunk"] else "In one run of its own."
    start = f"the weights of `{metadata['start']['checkpoint']}`" if metadata["start"] else "fresh weights"
    seed = metadata["training"]["seed"]
    return f"{protocol} Started from {start}. Adam with decoupled weight decay, cosine schedule; seed {seed}."


def write_own_card(network: nn.Module, name: str, metadata: dict | None = None) -> str:
    """The model card of a network of one's own: what can be seen of it, and what its owner says."""
    count = count_parameters(network)
    label = KIND_LABELS[kind_of_network(network)]
    said = ["```json", json.dumps(metadata, indent=2), "```", ""] if metadata else []
    return "\n".join(
        [
            "---",
            ModelCardData(library_name="habn-explorer", tags=TAGS).to_yaml(),
            "---",
            "",
            f"# {name}",
            "",
            f"{type(network).__qualname__} with {label}: {count['parameters']:,} parameters, {count['added']:,} of "
            "them added to batch normalization.",
            "",
            *said,
            "Terms, data and limits are for its owner to say here.",
            "",
        ]
    )


def _front_matter(name: str, metadata: dict, data: set[str], owner: str | None) -> str:
    """What the Hub reads of a card: terms, data, what it was made from, and what was measured."""
    task = "image-segmentation" if metadata["task"] == "segmentation" else "image-to-image"
    start = metadata["start"]["checkpoint"] if metadata["start"] else None
    terms = {"license": "apache-2.0"} if _is_free(data) else {"license": "other", "license_name": "research-data"}
    results = [
        EvalResult(
            task_type=task,
            dataset_type=metadata["data"],
            dataset_name=NAMES.get(split.split()[0], NAMES[metadata["data"]]),
            dataset_split=split.split()[-1],
            metric_type=metric,
            metric_value=value,
        )
        for split, figures in metadata["metrics"].items()
        for metric, value in figures.items()
        if isinstance(value, int | float)
    ]
    return ModelCardData(
        **terms,
        library_name="habn-explorer",
        pipeline_tag=task,
        tags=TAGS,
        datasets=sorted(NAMES[each] for each in data),
        base_model=(f"{owner}/{start}" if owner else start) if start else None,
        model_name=name,
        eval_results=results,
    ).to_yaml()


def _is_free(data: set[str]) -> bool:
    """Whether nothing but what this project draws itself was trained on."""
    return data <= {"scenes"}


def _channels(metadata: dict) -> list[str]:
    """How far the channels of a branched network are still those of its BN partner, where that was measured."""
    correlation = metadata.get("channel_correlation")
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


def _metrics_table(metadata: dict) -> list[str]:
    if metadata["task"] == "segmentation":
        return "\n\n".join(_class_table(split, figures) for split, figures in metadata["metrics"].items()).split("\n")
    weights = metadata["recipe"]["style_weights"]
    lines = [
        "val: crops of four validation photographs in every style. Relative distances in SqueezeNet features; lower is "
        "closer.",
    ]
    if "test" in metadata["metrics"]:
        lines += [
            "",
            "test: whole photographs in every style, as `habn.training.style_evaluation` says; frechet is the "
            "SqueezeNet Fréchet distance to the painting, ssim the likeness to the photograph; more of that is better. "
            f"style is a mean over layers here, and on val their sum in the loss: {sum(weights):g} times as large.",
        ]
    rows = [
        f"| {split} | {name} | {value:.4f} |"
        for split, figures in metadata["metrics"].items()
        for name, value in figures.items()
    ]
    return [*lines, "", "| split | figure | value |", "|---|---|---|", *rows]

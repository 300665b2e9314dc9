"""Measure checkpoints.

    python -m habn.evaluate --checkpoint DIR --data camvid --root DIR --split test
    python -m habn.evaluate --checkpoint DIR DIR --root DIR --squeezenet FILE

Prints a JSON line for each. Of a segmentation network: mean_iou and class_iou in percent, parameters, seconds for the
whole split, and with --weather-every K the mean_iou under each weather, on every K-th picture. Of a style network:
frechet, style, content and ssim with their deviations over photographs and styles, as
`habn.training.style_evaluation` says. With --results FILE each checkpoint becomes a row of that file of results, to
which every normalization's is added in turn, the BN one first.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import cache
from pathlib import Path

import torch

from habn.checkpoints import LoadedNetwork, open_checkpoint
from habn.commands import end_with_a_sentence
from habn.data import SPLITS, load_segmentation
from habn.data.segmentation import SegmentationData
from habn.data.weather import STRENGTHS
from habn.errors import HabnError
from habn.layers.normalization import NORM_LABELS
from habn.networks import count_parameters
from habn.networks.network import Network
from habn.results import METRICS, Row, Study, UnderWeather, add_rows
from habn.results.models import LANGUAGES
from habn.results.provenance import describe_commit, describe_hardware, short_path
from habn.results.style import FURTHER, style_parts
from habn.study.measuring import lay_weather, measure_weather
from habn.training.segmentation import describe_segmentation, evaluate_segmentation
from habn.training.style_evaluation import PHOTOS, load_style_evaluation
from habn.training.task import check_device

log = logging.getLogger(__name__)

TITLES = {
    "scenes": {"en": "drawn scenes", "es": "escenas dibujadas"},
    "camvid": {"en": "CamVid", "es": "CamVid"},
    "facade": {"en": "LabelMeFacade", "es": "LabelMeFacade"},
    "cityscapes": {"en": "Cityscapes", "es": "Cityscapes"},
    "styles": {"en": "eight paintings", "es": "ocho cuadros"},
}


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: evaluate_all(args))


def evaluate_all(args: argparse.Namespace) -> None:
    check_device(args.device)
    for checkpoint in args.checkpoint:
        print(json.dumps(evaluate(args, checkpoint)), flush=True)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn.evaluate", description=__doc__.split("\n\n")[0])
    parser.add_argument("--checkpoint", required=True, nargs="+", metavar="DIR", help="folders or Hub ids")
    parser.add_argument(
        "--data",
        help="of a segmentation network: scenes, camvid, cityscapes, facade; what it was trained on unless given",
    )
    parser.add_argument("--root", type=Path, help="the folder of the data set; scenes are drawn and need none")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument(
        "--weather-every", type=int, metavar="K", help="of a segmentation network: every K-th picture under weather too"
    )
    parser.add_argument("--squeezenet", type=Path, metavar="FILE", help="of a style network: SqueezeNet 1.1 features")
    parser.add_argument("--photos", type=int, default=PHOTOS, metavar="N", help="of a style network: how many, spread")
    parser.add_argument("--results", type=Path, metavar="FILE", help="add a row to this file of results")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser


def evaluate(args: argparse.Namespace, checkpoint: str) -> dict:
    """What is measured of a checkpoint; it becomes a row of the results where they are asked for.

    Raises:
        HabnError: when it cannot be measured so, in one sentence.
    """
    loaded = open_checkpoint(checkpoint)
    if args.data is None:
        args = argparse.Namespace(**vars(args) | {"data": loaded.metadata.get("data", "scenes")})
    log.info("Measuring %s on %s ...", checkpoint, args.data)
    network = loaded.network.to(args.device, memory_format=torch.channels_last)
    if args.results is not None:
        check_row(args.results, loaded, checkpoint)
    figures, study = (evaluate_style if network.name == "cfanet" else evaluate_classes)(args, loaded, checkpoint)
    if args.results is not None:
        add_rows(study(), args.results.parent)
    return {"checkpoint": checkpoint, **figures, "parameters": count_parameters(network)["parameters"]}


def check_row(results: Path, loaded: LoadedNetwork, checkpoint: str) -> None:
    """Refuse a row that could not be added, before anything is measured.

    Raises:
        HabnError: one sentence on what to do.
    """
    if results.suffix != ".json":
        raise HabnError(f"--results {results} must be a file that ends in .json.")
    if not results.exists() and loaded.network.norm != "bn":
        raise HabnError(
            f"{results} does not exist yet; measure the BN checkpoint first, with which others are compared."
        )
    training = loaded.metadata.get("training") or {}
    if not {"seed", "steps"} <= training.keys() or "data" not in loaded.metadata:
        raise HabnError(f"The config.json of {checkpoint} does not say how it was trained; leave out --results.")


Measured = tuple[dict, Callable[[], Study]]
"""What is printed, and the study of one row that it becomes where results are asked for."""


def evaluate_classes(args: argparse.Namespace, loaded: LoadedNetwork, checkpoint: str) -> Measured:
    """Measure a segmentation network on the whole split."""
    data = load_segmentation(args.data, args.root, args.split).to(torch.device(args.device))
    network = loaded.network
    known = network.config["num_classes"]
    if len(data.classes) != known:
        raise HabnError(f"{checkpoint} knows {known} classes, {args.data} has {len(data.classes)}.")
    if args.weather_every is not None and args.weather_every < 1:
        raise HabnError("--weather-every must be at least 1.")
    started = time.perf_counter()
    with torch.inference_mode():
        figures = describe_segmentation(evaluate_segmentation(network, data), data.classes, data.scored)
    seconds = round(time.perf_counter() - started, 2)
    weather = {} if args.weather_every is None else _measure_weather(network, args)
    where = {"data": args.data, "split": args.split, "pictures": len(data.images)}
    under = {"weather": weather} if weather else {}

    def study() -> Study:
        size = tuple(data.images.shape[2:])
        value, how = figures["mean_iou"], {"weather": _under_weather(args)} if weather else {}
        by_seed = {kind: (tuple(values),) for kind, values in weather.items()}
        return _study(args, loaded, args.data, size, "mean_iou", value, {"weather": by_seed}, how)

    return {**where, **figures, "seconds": seconds, **under}, study


def _measure_weather(network: Network, args: argparse.Namespace) -> dict[str, list[float]]:
    """mIoU under each weather and strength, on some pictures of the split."""
    weathers = _lay_weather(args.data, args.root, args.split, args.weather_every)
    on_device = {name: [data.to(args.device) for data in of_kind] for name, of_kind in weathers.items()}
    return {name: [round(v, 2) for v in values] for name, values in measure_weather(network, on_device).items()}


def _under_weather(args: argparse.Namespace) -> UnderWeather:
    weathers = _lay_weather(args.data, args.root, args.split, args.weather_every)
    pictures = len(next(iter(weathers.values()))[0].images)
    return UnderWeather(pictures=pictures, strengths=(0.0, *map(float, STRENGTHS)))


def evaluate_style(args: argparse.Namespace, loaded: LoadedNetwork, checkpoint: str) -> Measured:
    """Measure a style network on some photographs of the split in every style."""
    if args.root is None or args.squeezenet is None:
        raise HabnError(f"{checkpoint} is a style network; give --root with content and styles, and --squeezenet.")
    if args.photos < 1:
        raise HabnError("--photos must be at least 1.")
    evaluation = _load_evaluation(args.root, args.squeezenet, args.split, args.photos, args.device)
    network = loaded.network
    measured = {name: asdict(score) for name, score in evaluation.measure(network).items()}
    figures = {"data": "styles", "split": args.split, "pictures": len(evaluation.photos), **measured}

    def study() -> Study:
        value, how = measured["frechet"]["mean"], {"sampling": evaluation.describe(), "further": FURTHER}
        return _study(args, loaded, "styles", evaluation.size, "frechet", value, style_parts([measured]), how)

    return figures, study


# Read once for all checkpoints of a command.
_load_evaluation = cache(load_style_evaluation)


@cache
def _lay_weather(name: str, root: Path | None, split: str, every: int) -> dict[str, list[SegmentationData]]:
    data = load_segmentation(name, root, split)
    return lay_weather(data.part(torch.arange(0, len(data.images), every)))


def _study(
    args: argparse.Namespace,
    loaded: LoadedNetwork,
    data: str,
    size: tuple[int, int],
    metric: str,
    value: float,
    parts: dict,
    how: dict,
) -> Study:
    """The study of the checkpoints that are shipped, with one row; `parts` and `how` are further fields of both."""
    network, metadata = loaded.network, loaded.metadata
    training, start = metadata["training"], metadata.get("start")
    title = TITLES.get(data, dict.fromkeys(LANGUAGES, data))
    row = Row(
        norm=network.norm,
        label=NORM_LABELS[network.norm],
        setting="",
        seeds=(training["seed"],),
        values=(value,),
        **(count_parameters(network) | parts),
    )
    return Study(
        name=args.results.stem if args.results else data,
        title={"en": f"The page's networks on {title['en']}", "es": f"Las redes de la página en {title['es']}"},
        question={
            "en": "What do the networks that this page shows score on pictures that they never saw?",
            "es": "¿Qué resultado obtienen las redes de esta página con imágenes que nunca vieron?",
        },
        protocol="shipped",
        data=data,
        split=args.split,
        size=size,
        train=_trained_on(metadata) + (f", from the weights {start['checkpoint']}" if start else ""),
        steps=training["steps"],
        epochs=None,
        hardware=describe_hardware(torch.cuda.get_device_name() if args.device.startswith("cuda") else None),
        commit=describe_commit(),
        date=date.today(),
        command=_command(args, data),
        metric=METRICS[metric],
        baseline="bn",
        rows=(row,),
        **how,
    )


def _trained_on(metadata: dict) -> str:
    scenes, with_val = metadata["training"].get("with_scenes"), metadata["training"].get("with_val")
    return metadata["data"] + (" (train + val)" if with_val else "") + (f" and {scenes} drawn scenes" if scenes else "")


def _command(args: argparse.Namespace, data: str) -> str:
    words = ["python -m habn.evaluate --checkpoint", *(short_path(Path(name)) for name in args.checkpoint)]
    words += ["--root DIR --squeezenet FILE"] if data == "styles" else [f"--data {data}"]
    words += ["--root DIR"] if args.root and data != "styles" else []
    words += [f"--weather-every {args.weather_every}"] if args.weather_every else []
    words += [f"--photos {args.photos}"] if data == "styles" and args.photos != PHOTOS else []
    return " ".join([*words, f"--split {args.split} --results {short_path(args.results)}"])


if __name__ == "__main__":
    main()

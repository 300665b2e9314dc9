"""Trains and measures one variant with one seed, and keeps what it found in a folder."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from habn.cards import card_text, segmentation_card
from habn.checkpoints import load_checkpoint, save_checkpoint
from habn.data import load_segmentation
from habn.data.segmentation import SegmentationData
from habn.layers import parameter_overhead
from habn.networks import build_network
from habn.study.measuring import lay_weather, measure_correspondence, measure_search, measure_weather
from habn.study.variants import VARIANTS, Variant
from habn.training.loop import LOG, fit
from habn.training.segmentation import (
    SegmentationRecipe,
    SegmentationTask,
    build_segmentation_task,
    describe_segmentation,
    evaluate_segmentation,
)
from habn.training.start import describe_start, finish, lean_toward_own, start_from, take_average, trunk_digest
from habn.training.task import TrainingOptions, options_dict

MEASURED, CHECKPOINT, TRAINING = "measured.json", "checkpoint", "training"
FEW_PICTURES = 8
HABN_DELTA_RATE = 10.0
"""Deltas and gates of HABN learn so much faster than weights: they must get away from 0 within a short branch."""


@dataclass(frozen=True)
class Plan:
    """What all runs of a study share.

    Attributes:
        data, root: as in `habn.data.load_segmentation`.
        split: what is measured on.
        recipe, options: of every run; each sets its own seed and search.
        scenes, with_val: what is trained on besides.
        trunk: the batch-normalized checkpoint from which all start; None for runs from scratch.
        weather_every: one picture in so many of the split is measured under weather; None to leave weather out.
        device: where the networks are trained and measured.
    """

    data: str
    root: Path | None
    split: str
    recipe: SegmentationRecipe
    options: TrainingOptions
    scenes: int = 0
    with_val: bool = False
    trunk: Path | None = None
    weather_every: int | None = None
    device: str = "cpu"


class StudyRuns:
    """The runs of a plan, in a folder: ``folder/VARIANT/SEED/{training, checkpoint, measured.json}``.

    Args:
        plan: what they share.
        folder: where they are, or will be.
        baseline: the variant with which the channels of the others are held to correspond.
    """

    def __init__(self, plan: Plan, folder: Path, baseline: str) -> None:
        self.plan, self.folder, self.baseline = plan, folder, baseline
        self.held_out = load_segmentation(plan.data, plan.root, plan.split).to(plan.device)
        self._tasks: dict[bool, SegmentationTask] = {}

    def run(self, name: str, seed: int, minutes: float | None) -> bool:
        """Train and measure a variant with a seed, or go on where it was stopped; whether it is through."""
        folder = self.folder / name / str(seed)
        if (folder / MEASURED).is_file():
            return True
        variant = VARIANTS[name]
        options = self._options(variant, seed, minutes)
        network = self._build(variant, seed)
        task = self.task(hold_out=variant.search == "bilevel")
        if not fit(network, task, options, folder / TRAINING).finished:
            return False
        network = finish(network, folder / TRAINING, options)
        epochs = options.steps * self.plan.recipe.batch_size / len(task.train.images)
        measured = {"epochs": round(epochs, 1), **self._measure(network)}
        if self.plan.trunk is not None and name != self.baseline:
            baseline = load_checkpoint(self.folder / self.baseline / str(seed) / CHECKPOINT).to(self.plan.device)
            few = thin_out(self.held_out, FEW_PICTURES)
            measured["correspondence"] = measure_correspondence(baseline, network, few)
        self._save(network, variant, options, measured, folder / CHECKPOINT)
        log = [json.loads(line) for line in (folder / TRAINING / LOG).read_text().splitlines()]
        measured["curve"] = {
            "steps": [entry["step"] for entry in log],
            "values": [round(100 * entry["val_mean_iou"], 2) for entry in log],
        }
        (folder / MEASURED).write_text(json.dumps(measured) + "\n")
        return True

    def measured(self, name: str, seed: int) -> dict:
        """What `run` found, once it is through."""
        return json.loads((self.folder / name / str(seed) / MEASURED).read_text())

    def with_soft_gates(self, name: str, seed: int) -> nn.Module:
        """The network that a search ended with, before `discretize` made its gates hard."""
        variant = VARIANTS[name]
        training = self.folder / name / str(seed) / TRAINING
        return take_average(self._build(variant, seed), training, self._options(variant, seed, None))

    @cached_property
    def weathers(self) -> dict[str, list[SegmentationData]]:
        """A part of the split under every weather."""
        few = torch.arange(0, len(self.held_out.images), self.plan.weather_every)
        with torch.autocast(torch.device(self.plan.device).type, enabled=False):
            return lay_weather(self.held_out.part(few))

    def task(self, hold_out: bool = False) -> SegmentationTask:
        """What all runs are trained on; those with a bilevel search hold some of it out."""
        plan = self.plan
        if hold_out not in self._tasks:
            self._tasks[hold_out] = build_segmentation_task(
                plan.data, plan.root, plan.recipe, plan.scenes, plan.with_val, hold_out, plan.device
            )
        return self._tasks[hold_out]

    def _options(self, variant: Variant, seed: int, minutes: float | None) -> TrainingOptions:
        rate = HABN_DELTA_RATE if variant.norm.startswith("habn") else 1.0
        return replace(self.plan.options, seed=seed, minutes=minutes, delta_rate=rate, search=variant.search)

    def _build(self, variant: Variant, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        options = {**variant.options, **({"search": True} if variant.search else {})}
        classes = len(self.held_out.classes)
        network = build_network("spvcnn", variant.norm, options, num_classes=classes)
        if self.plan.trunk is not None:
            start_from(network, self.plan.trunk)
        for part in variant.own_parts:
            lean_toward_own(network.get_submodule(part), variant.own_share)
        return network.to(self.plan.device)

    def _measure(self, network: nn.Module) -> dict:
        overhead = parameter_overhead(network)
        with torch.inference_mode():
            clean = describe_segmentation(evaluate_segmentation(network, self.held_out), self.held_out.classes)
        measured = {"clean": clean, "parameters": overhead.total, "added": overhead.added}
        if network.norm.startswith("habn"):
            measured["search"] = measure_search(network, thin_out(self.held_out, FEW_PICTURES))
        if self.plan.weather_every:
            with torch.autocast(
                torch.device(self.plan.device).type, torch.bfloat16, enabled=self.plan.options.precision == "bfloat16"
            ):
                measured["weather"] = measure_weather(network, self.weathers)
        return measured

    def _save(
        self, network: nn.Module, variant: Variant, options: TrainingOptions, measured: dict, folder: Path
    ) -> None:
        plan = self.plan
        training = {
            "with_scenes": plan.scenes,
            "with_val": plan.with_val,
            **({"own_share": variant.own_share, "own_parts": variant.own_parts} if variant.own_parts else {}),
            **options_dict(options),
        }
        how = {"start": describe_start(plan.trunk), "trunk": trunk_digest(plan.trunk, None), "training": training}
        card = segmentation_card(plan.data, self.held_out.classes, plan.recipe, how, {plan.split: measured["clean"]})
        if "correspondence" in measured:
            card["channel_correlation"] = measured["correspondence"]
        save_checkpoint(network, folder, card, card_text(network, card))


def thin_out(data: SegmentationData, count: int) -> SegmentationData:
    """About so many pictures, spread over a split."""
    return data.part(torch.arange(0, len(data.images), max(1, len(data.images) // count)))

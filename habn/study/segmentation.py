"""The runs of a segmentation study: what they train, and what is measured of them, clean and under weather."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from habn.checkpoints.metadata import segmentation_metadata
from habn.data import load_segmentation
from habn.data.facade import load_facade
from habn.data.segmentation import SegmentationData
from habn.data.weather import STRENGTHS, WEATHER
from habn.hooks.intervention import Intervention
from habn.results import METRICS, Curve, UnderWeather
from habn.settings import setting
from habn.study.measuring import lay_weather, measure_intervened, measure_weather
from habn.study.runs import FEW_PICTURES, StudyPlan, StudyRuns
from habn.study.variants import VARIANTS, Variant
from habn.training.segmentation import (
    SegmentationRecipe,
    SegmentationTask,
    build_segmentation_task,
    describe_segmentation,
    evaluate_segmentation,
    load_facade_for_training,
)


@dataclass(frozen=True, kw_only=True)
class SegmentationPlan(StudyPlan):
    """What all runs of a segmentation study share."""

    recipe: SegmentationRecipe
    data: str = setting("scenes, camvid, facade, or cityscapes (tried on a small tree only)", "scenes")
    scenes: int = setting("drawn scenes to train on besides", 0, flag="with-scenes", metavar="N")
    with_val: bool = setting("train on val too, for a final fit", False)
    weather_every: int | None = setting("measure every K-th picture under weather too", None, metavar="K")
    facade: Path | None = setting("the folder of LabelMeFacade, to train and measure on besides", None, metavar="DIR")
    teacher: Path | None = setting("a checkpoint that sees what LabelMeFacade's labels lack", None)


class SegmentationRuns(StudyRuns):
    """The runs of a segmentation study; see `StudyRuns`."""

    network, variants, metric = "spvcnn", VARIANTS, METRICS["mean_iou"]
    plan: SegmentationPlan

    def __init__(self, plan: SegmentationPlan, folder: Path, baseline: str) -> None:
        super().__init__(plan, folder, baseline)
        self.held_out = load_segmentation(plan.data, plan.root, plan.split).to(plan.device)
        self._tasks: dict[bool, SegmentationTask] = {}

    @cached_property
    def weathers(self) -> dict[str, list[SegmentationData]]:
        """A part of the split under every weather."""
        with torch.autocast(torch.device(self.plan.device).type, enabled=False):
            return lay_weather(self.held_out.part(self._few))

    @property
    def _few(self) -> Tensor:
        """The places of the pictures that are measured under weather."""
        return torch.arange(0, len(self.held_out.images), self.plan.weather_every)

    def config(self) -> dict:
        return {"num_classes": len(self.held_out.classes)}

    def task(self, variant: Variant) -> SegmentationTask:
        """What all runs are trained on; those with a bilevel search hold some of it out."""
        plan, hold_out = self.plan, variant.search == "bilevel"
        if hold_out not in self._tasks:
            facade = None
            if plan.facade is not None and plan.teacher is not None:
                facade = load_facade_for_training(plan.facade, plan.teacher)
            self._tasks[hold_out] = build_segmentation_task(
                plan.data, plan.root, plan.recipe, plan.scenes, plan.with_val, hold_out, plan.device, facade
            )
        return self._tasks[hold_out]

    def count_pictures(self, task: SegmentationTask) -> int:
        return len(task.train.images)

    def few_inputs(self) -> list[tuple[Tensor, ...]]:
        images = self.held_out.images[:: max(1, len(self.held_out.images) // FEW_PICTURES)]
        return [(image[None].float() / 255,) for image in images]

    def measure(self, network: nn.Module, log: list[dict]) -> dict:
        with torch.inference_mode():
            clean = describe_segmentation(evaluate_segmentation(network, self.held_out), self.held_out.classes)
        measured = {
            "clean": clean,
            "curve": {
                "steps": [entry["step"] for entry in log],
                "values": [round(100 * entry["val_mean_iou"], 2) for entry in log],
            },
        }
        if self.plan.facade:
            held_out = load_facade(self.plan.facade, self.plan.split).to(self.plan.device)
            with torch.inference_mode():
                confusion = evaluate_segmentation(network, held_out)
            measured["facade"] = describe_segmentation(confusion, held_out.classes, held_out.scored)
        if self.plan.weather_every:
            with torch.autocast(
                torch.device(self.plan.device).type, torch.bfloat16, enabled=self.plan.options.precision == "bfloat16"
            ):
                measured["weather"] = measure_weather(network, self.weathers)
        return measured

    def value_of(self, measured: dict) -> float:
        return measured["clean"]["mean_iou"]

    def measure_under(self, network: nn.Module, intervention: Intervention) -> float:
        return round(measure_intervened(network, self.held_out, intervention), 2)

    def build_metadata(self, network: nn.Module, how_trained: dict, measured: dict) -> dict:
        plan = self.plan
        metrics = {plan.split: measured["clean"]}
        if "facade" in measured:
            metrics[f"facade {plan.split}"] = measured["facade"]
        return segmentation_metadata(plan.data, self.held_out.classes, plan.recipe, how_trained, metrics)

    def training_extras(self) -> dict:
        return {"with_scenes": self.plan.scenes, "with_val": self.plan.with_val, "with_facade": bool(self.plan.facade)}

    def describe_data(self) -> dict:
        plan = self.plan
        parts = ["train + val" if plan.with_val else "train"]
        if plan.scenes:
            parts.append(f"{plan.scenes} drawn scenes")
        if plan.facade:
            parts.append(f"LabelMeFacade ({plan.recipe.facade} of {plan.recipe.batch_size} crops)")
        train = " and ".join(parts) + (", with weather" if plan.recipe.weather else "")
        return {"data": plan.data, "split": plan.split, "size": tuple(self.held_out.images.shape[2:]), "train": train}

    def parts_of(self, entries: dict[int, dict]) -> dict:
        parts: dict = {}
        if not self.plan.with_val:  # else curves would be of pictures that were trained on
            parts["curves"] = tuple(_curve(seed, entry["curve"]) for seed, entry in entries.items())
        if all("weather" in entry for entry in entries.values()):
            parts["weather"] = {
                kind: tuple(tuple(round(v, 2) for v in entry["weather"][kind]) for entry in entries.values())
                for kind in WEATHER
            }
        return parts

    def further(self, every: list[dict]) -> dict:
        if not any("weather" in entry for entry in every):
            return {}
        return {"weather": UnderWeather(pictures=len(self._few), strengths=(0.0, *map(float, STRENGTHS)))}


def _curve(seed: int, curve: dict) -> Curve:
    return Curve(seed=seed, steps=tuple(curve["steps"]), values=tuple(curve["values"]))

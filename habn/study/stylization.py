"""The runs of a study of style transfer: what they train, and what is measured of them."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from habn.checkpoints.metadata import style_metadata
from habn.data.styles import PHOTO_ROW, STYLES
from habn.hooks.intervention import Intervention, intervening
from habn.results import METRICS
from habn.results.style import FURTHER, style_parts
from habn.settings import setting
from habn.study.runs import FEW_PICTURES, StudyPlan, StudyRuns
from habn.study.variants import STYLE_VARIANTS, Variant
from habn.training.style import StyleRecipe, StyleTask, build_style_task
from habn.training.style_evaluation import PHOTOS, load_style_evaluation


@dataclass(frozen=True, kw_only=True)
class StylePlan(StudyPlan):
    """What all runs of a study of style transfer share."""

    root: Path = setting("holds content/{train,val,test} and styles")
    recipe: StyleRecipe
    squeezenet: Path = setting("SqueezeNet 1.1 features, a safetensors file")
    photos: int = setting("of the split, evenly spread", PHOTOS, metavar="N")


class StyleRuns(StudyRuns):
    """The runs of a study of style transfer; see `StudyRuns`."""

    network, variants, metric = "cfanet", STYLE_VARIANTS, METRICS["frechet"]
    plan: StylePlan

    def __init__(self, plan: StylePlan, folder: Path, baseline: str) -> None:
        super().__init__(plan, folder, baseline)
        self.evaluation = load_style_evaluation(plan.root, plan.squeezenet, plan.split, plan.photos, plan.device)

    @cached_property
    def _task(self) -> StyleTask:
        plan = self.plan
        return build_style_task(plan.root, plan.squeezenet, plan.recipe, plan.device)

    def config(self) -> dict:
        return {"num_styles": PHOTO_ROW + 1}

    def task(self, variant: Variant) -> StyleTask:
        return self._task

    def count_pictures(self, task: StyleTask) -> int:
        return len(task.photos)

    def few_inputs(self) -> list[tuple[Tensor, ...]]:
        """A few photographs, each in another style."""
        photos = self.evaluation.photos
        rows = torch.eye(PHOTO_ROW + 1, device=self.plan.device)
        few = photos[:: max(1, len(photos) // FEW_PICTURES)][: len(STYLES)]
        return [(photo, rows[k : k + 1]) for k, photo in enumerate(few)]

    def measure(self, network: nn.Module, log: list[dict]) -> dict:
        measured = {name: asdict(figure) for name, figure in self.evaluation.measure(network).items()}
        return {"style": measured, "val": self._task.evaluate(network)}

    def value_of(self, measured: dict) -> float:
        return measured["style"]["frechet"]["mean"]

    def measure_under(self, network: nn.Module, intervention: Intervention) -> float:
        with intervening(network, intervention):
            return self.evaluation.measure(network)["frechet"].mean

    def build_metadata(self, network: nn.Module, how_trained: dict, measured: dict) -> dict:
        held_out = {name: figure["mean"] for name, figure in measured["style"].items()}
        return style_metadata(self._task.recipe, how_trained, measured["val"], {self.plan.split: held_out})

    def describe_data(self) -> dict:
        sampling = self.evaluation.describe()
        return {
            "data": "styles",
            "split": self.plan.split,
            "size": self.evaluation.size,
            "train": "train",
            "sampling": sampling,
        }

    def parts_of(self, entries: dict[int, dict]) -> dict:
        return style_parts([entry["style"] for entry in entries.values()])

    def further(self, every: list[dict]) -> dict:
        return {"further": FURTHER}

"""Trains and measures one variant with one seed, and keeps what it found in a folder: what every study does alike."""

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from habn.checkpoints import load_checkpoint, read_metadata, save_checkpoint
from habn.checkpoints.card import write_card
from habn.data import SPLITS
from habn.errors import HabnError
from habn.hooks.intervention import Intervention
from habn.networks import build_network, count_parameters
from habn.networks.network import Network
from habn.results import Metric
from habn.results.provenance import describe_commit, describe_hardware
from habn.settings import setting
from habn.study.measuring import measure_correspondence, measure_search
from habn.study.variants import Variant
from habn.training.conditions import begin_or_continue
from habn.training.loop import LOG, fit
from habn.training.segmentation import SegmentationRecipe
from habn.training.start import describe_start, finish, give_head_start, start_from, take_average, trunk_digest
from habn.training.style import StyleRecipe
from habn.training.task import Task, TrainingOptions, options_dict

MEASURED, CHECKPOINT, TRAINING, COMMITS = "measured.json", "checkpoint", "training", "commits"
FEW_PICTURES = 8
PLACES = ("root", "squeezenet", "device", "facade", "teacher")
"""What a plan has that says where things are, and changes no result."""


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What all runs of a study share.

    Attributes:
        recipe, options: of every run; each sets its own seed and search.
    """

    root: Path | None = setting("the folder of the data set; scenes are drawn and need none", None)
    split: str = setting("what is measured on", "test", choices=SPLITS)
    recipe: SegmentationRecipe | StyleRecipe
    options: TrainingOptions
    trunk: Path | None = setting("the checkpoint from which all branch; none: from scratch", None)
    device: str = setting("where networks are trained and measured", "cpu")


class StudyRuns(ABC):
    """The runs of a plan, in a folder.

        folder/VARIANT/SEED/{conditions.json, commits, training, checkpoint, measured.json}

    What a kind of study trains and measures is told by the methods that it must have.

    Args:
        plan: what they share.
        folder: where they are, or will be.
        baseline: the variant with which the channels of the others are held to correspond.
    """

    network: str
    """The network's name, for `habn.networks.build_network`."""
    variants: dict[str, Variant]
    metric: Metric

    def __init__(self, plan: StudyPlan, folder: Path, baseline: str) -> None:
        self.plan, self.folder, self.baseline = plan, folder, baseline

    def run(self, name: str, seed: int, minutes: float | None) -> bool:
        """Train and measure a variant with a seed, or go on where it was stopped; whether it is finished.

        Raises:
            HabnError: the folder holds a run that was begun under other conditions than this plan's.
        """
        folder = self.folder / name / str(seed)
        begun = (folder / TRAINING).exists() or (folder / MEASURED).exists()
        begin_or_continue(folder, self.conditions(name, seed), begun)
        if (folder / MEASURED).is_file():
            return True
        commit = _note_commit(folder)
        variant = self.variants[name]
        options = self._options(variant, seed, minutes)
        network, task = self.build(variant, seed), self.task(variant)
        if not fit(network, task, options, folder / TRAINING).finished:
            return False
        network = finish(network, folder / TRAINING, options, variant.least_gate)
        log = [json.loads(line) for line in (folder / TRAINING / LOG).read_text().splitlines()]
        measured = {
            "commit": commit,
            "hardware": self.hardware(),
            **self._describe(network, task),
            **self.measure(network, log),
        }
        if self.plan.trunk is not None and name != self.baseline:
            baseline = load_checkpoint(self.folder / self.baseline / str(seed) / CHECKPOINT).to(self.plan.device)
            measured["correspondence"] = measure_correspondence(baseline, network, self.few_inputs())
        self._save(network, variant, options, measured, folder / CHECKPOINT)
        (folder / MEASURED).write_text(json.dumps(measured) + "\n")
        return True

    def build(self, variant: Variant, seed: int) -> Network:
        """The network of a variant as its training starts; one that goes on from its own kind keeps what it learned."""
        torch.manual_seed(seed)
        options = {**variant.options, **({"search": True} if variant.search else {})}
        network = build_network(self.network, variant.norm, options, **self.config())
        if self.plan.trunk is not None:
            start_from(network, self.plan.trunk)
        if self.plan.trunk is None or read_metadata(self.plan.trunk)["norm"] != variant.norm:
            for part in variant.head_start_parts:
                give_head_start(network.get_submodule(part), variant.head_start)
        return network.to(self.plan.device)

    def measured(self, name: str, seed: int) -> dict:
        """What `run` found, once it is finished.

        Raises:
            HabnError: it is not finished, or was made under other conditions than this plan's.
        """
        path = self.folder / name / str(seed) / MEASURED
        if not path.is_file():
            raise HabnError(f"{path} is missing; first run the study without --ablate.")
        begin_or_continue(path.parent, self.conditions(name, seed), begun=True)
        return json.loads(path.read_text())

    def conditions(self, name: str, seed: int) -> dict:
        """All that a run depends on beside code, machine and the places of data."""
        plan = {key: value for key, value in asdict(self.plan).items() if key not in PLACES}
        options = options_dict(self._options(self.variants[name], seed, None))
        trunk = trunk_digest(self.plan.trunk, None)
        return {**plan, "options": options, "trunk": trunk, "variant": self.variants[name].conditions()}

    def hardware(self) -> str:
        """What the runs are trained and measured on."""
        return describe_hardware(torch.cuda.get_device_name(0) if self.plan.device.startswith("cuda") else None)

    def with_soft_gates(self, name: str, seed: int) -> Network:
        """The network that a search ended with, before `discretize` made its gates hard."""
        variant = self.variants[name]
        training = self.folder / name / str(seed) / TRAINING
        return take_average(self.build(variant, seed), training, self._options(variant, seed, None))

    @abstractmethod
    def config(self) -> dict:
        """Keyword arguments of the network's class."""

    @abstractmethod
    def task(self, variant: Variant) -> Any:
        """What a variant is trained on: a `Task` of that kind of study."""

    @abstractmethod
    def count_pictures(self, task: Any) -> int:
        """How many pictures an epoch has."""

    @abstractmethod
    def few_inputs(self) -> list[tuple[Tensor, ...]]:
        """What the network is called with for a few held-out pictures, one at a time."""

    @abstractmethod
    def measure(self, network: Network, log: list[dict]) -> dict:
        """What is measured of a trained network, for JSON; log: the lines of its training's log."""

    @abstractmethod
    def value_of(self, measured: dict) -> float:
        """The main metric in what `measure` found."""

    @abstractmethod
    def measure_under(self, network: Network, intervention: Intervention) -> float:
        """The main metric of a trained network whose adaptation is changed."""

    @abstractmethod
    def build_metadata(self, network: Network, how_trained: dict, measured: dict) -> dict:
        """The metadata of a checkpoint."""

    @abstractmethod
    def describe_data(self) -> dict:
        """What was trained and measured on: data, split, size, train and sampling of a `habn.results.Study`."""

    @abstractmethod
    def parts_of(self, entries: dict[int, dict]) -> dict:
        """Further fields of a `habn.results.Row`, from what was measured of a variant by seed."""

    @abstractmethod
    def further(self, every: list[dict]) -> dict:
        """Further fields of a `habn.results.Study`, from what was measured of all runs."""

    def training_extras(self) -> dict:
        """What else the metadata say of the training."""
        return {}

    def _options(self, variant: Variant, seed: int, minutes: float | None) -> TrainingOptions:
        rate = self.plan.options.delta_rate if variant.norm.startswith("habn") else 1.0
        return replace(self.plan.options, seed=seed, minutes=minutes, delta_rate=rate, search=variant.search)

    def _describe(self, network: Network, task: Task) -> dict:
        epochs = self.plan.options.steps * self.plan.recipe.batch_size / self.count_pictures(task)
        described = {"epochs": round(epochs, 1), **count_parameters(network)}
        if network.norm.startswith("habn"):
            described["search"] = measure_search(network, self.few_inputs())
        return described

    def _save(self, network: Network, variant: Variant, options: TrainingOptions, measured: dict, folder: Path) -> None:
        trunk = self.plan.trunk
        own = variant.describe_head_start() if variant.head_start_parts else {}
        gate = {"least_gate": variant.least_gate} if variant.search else {}
        training = {**self.training_extras(), **own, **gate, **options_dict(options)}
        how = {"start": describe_start(trunk), "trunk": trunk_digest(trunk, None), "training": training}
        metadata = self.build_metadata(network, how, measured)
        if "correspondence" in measured:
            metadata["channel_correlation"] = measured["correspondence"]
        save_checkpoint(network, folder, metadata, write_card(network, metadata, folder.name))


def _note_commit(folder: Path) -> str:
    """The commits that a run was trained and measured by, this one the last; as it begins, since others may follow."""
    path, commit = folder / COMMITS, describe_commit()
    commits = path.read_text().split() if path.is_file() else []
    if commit not in commits:
        commits.append(commit)
        path.write_text(" ".join(commits) + "\n")
    return ", ".join(commits)

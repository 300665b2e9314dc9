"""What a study measured: a file of results/ is one `Study`, whose fields are the keys of the file.

pydantic builds these classes and reads the files: nothing is converted, guessed or left over. A text is no number, a
number no truth, and a key that no field has is an error.
"""

import dataclasses
from collections.abc import Collection, Sequence
from datetime import date
from statistics import fmean
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, NonNegativeInt, StringConstraints, model_validator
from pydantic.dataclasses import dataclass

from habn.results.statistics import PairedDifference, paired_difference

LANGUAGES = ("en", "es")
"""Those that the page speaks; the first is what everybody gets whose language is not among them."""

_METRIC_LABELS = {
    "mean_iou": "mIoU",
    "frechet": "SqueezeNet Fréchet distance",
    "style": "distance to the painting",
    "content": "distance to the photograph",
    "ssim": "SSIM",
}


def _in_every_language(text: dict[str, str]) -> dict[str, str]:
    if set(text) != set(LANGUAGES):
        raise ValueError(f"must be given in {' and '.join(LANGUAGES)}")
    return text


Text = Annotated[dict[str, str], AfterValidator(_in_every_language)]
"""A text in each of LANGUAGES."""
Words = Annotated[str, StringConstraints(pattern=r"\S")]
"""A text that is not empty."""
Numbers = tuple[float, ...]
Four = tuple[float, float, float, float]
"""Of scale, bias, mean and variance."""

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=STRICT)
class Metric:
    """What the values are: "mean_iou" in "%", higher is better."""

    name: Words
    unit: str
    higher_is_better: bool

    @property
    def label(self) -> str:
        """For people: "mIoU (%)"."""
        name = _METRIC_LABELS.get(self.name, self.name)
        return f"{name} ({self.unit})" if self.unit else name

    @property
    def decimals(self) -> int:
        """Behind the point of its values: 2 of percentages, 3 of distances and likenesses about 1."""
        return 2 if self.unit == "%" else 3


METRICS = {
    metric.name: metric
    for metric in (
        Metric("mean_iou", "%", higher_is_better=True),
        Metric("frechet", "", higher_is_better=False),
        Metric("style", "", higher_is_better=False),
        Metric("content", "", higher_is_better=False),
        Metric("ssim", "", higher_is_better=True),
    )
}
"""What the commands measure."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Curve:
    """The metric on val while the network of one seed was trained."""

    seed: NonNegativeInt
    steps: tuple[NonNegativeInt, ...]
    values: Numbers

    @model_validator(mode="after")
    def _check(self) -> "Curve":
        _have_length("values", [self.values], len(self.steps), "one value for each step")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Choice:
    """What the search chose with one seed.

    Attributes:
        gates: of each layer, in [0, 1].
        size: how much each parameter of the layer adapts: the deviation over pixels of what s adds, as a share of the
            static parameter.
    """

    seed: NonNegativeInt
    gates: tuple[Four, ...]
    size: tuple[Four, ...]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Figure:
    """A further metric of the networks of a row.

    Attributes:
        values: one for each seed.
        deviations: likewise, the standard deviation over all that was measured, such as photographs and styles.
    """

    values: Numbers
    deviations: Numbers


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Row:
    """One normalization, trained once per seed, and all that was measured of its networks.

    Attributes:
        norm: its name for programs; `label` is its name for people.
        setting: what else sets it apart from other rows of the same normalization, or "".
        seeds, values: one value per seed, in the metric's unit.
        parameters: of the whole network; `added` of them by the normalization beyond BN's own.
        figures: further metrics, by name.
        styles: the metric in each style, one value per seed.
        weather: the metric under each weather; for each seed one value per strength.
        curves: while the networks were trained.
        search: what a search chose.
    """

    norm: Words
    label: Words
    setting: str
    seeds: tuple[NonNegativeInt, ...]
    values: Numbers
    parameters: NonNegativeInt
    added: NonNegativeInt
    figures: dict[str, Figure] = dataclasses.field(default_factory=dict)
    styles: dict[str, Numbers] = dataclasses.field(default_factory=dict)
    weather: dict[str, tuple[Numbers, ...]] = dataclasses.field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    search: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "Row":
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("'seeds' must hold at least one seed, and each only once")
        each = {"values": [self.values], "styles": self.styles.values(), "weather": self.weather.values()}
        each["figures"] = [part for figure in self.figures.values() for part in (figure.values, figure.deviations)]
        for name, lists in each.items():
            _have_length(name, lists, len(self.seeds), "one value for each seed")
        return self

    @property
    def full_label(self) -> str:
        """With its setting: "HABN+, trained with weather"."""
        return f"{self.label}, {self.setting}" if self.setting else self.label

    @property
    def added_share(self) -> float:
        """The parameters that the normalization adds, over those of the network without them."""
        return self.added / (self.parameters - self.added)

    @property
    def identity(self) -> tuple[str, str]:
        """Norm and setting, by which a study's rows are known."""
        return self.norm, self.setting

    @property
    def by_seed(self) -> dict[int, float]:
        return dict(zip(self.seeds, self.values, strict=True))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class UnderWeather:
    """How rows were measured under weather.

    Attributes:
        pictures: how many of the split, the same for all rows.
        strengths: of each weather; 0 is the picture as it is.
    """

    pictures: NonNegativeInt
    strengths: Numbers

    def mean(self, curves: Sequence[Numbers]) -> float:
        """The mean of curves over the strengths above 0; a curve has one value for each strength."""
        return fmean(value for curve in curves for value, s in zip(curve, self.strengths, strict=True) if s > 0)

    def mean_of(self, row: Row) -> Row:
        """The row with its values under weather: by seed, the mean over kinds and strengths above 0."""
        return dataclasses.replace(row, values=tuple(map(self.mean, zip(*row.weather.values(), strict=True))))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Study:
    """One question, and what was measured to answer it.

    Attributes:
        name: the file's, without .json; it is not in the file.
        protocol: branched: all go on from the weights of one trunk; scratch: each from its own start; shipped: the
            page's networks.
        size: (H, W) of the pictures.
        train: what the networks were trained on; for `steps` steps, which are `epochs` epochs (None: not known).
        recipe: the file of habn/recipes with these settings, if there is one.
        command: reproduces it, one command per line.
        metric: the main one, of the rows' values; `further` has those of their figures.
        baseline: the norm that every other one is held against, seed by seed.
        weather: how rows were measured under it, if they were.
        layers: names of the layers that the rows' search is about, in the order of evaluation.
        sampling: how many samples of what a value is made of, where the split and its size do not tell.
    """

    name: str = ""
    title: Text
    question: Text
    protocol: Literal["branched", "scratch", "shipped"]
    data: Words
    split: Words
    size: tuple[NonNegativeInt, NonNegativeInt]
    train: Words
    steps: NonNegativeInt
    epochs: float | None
    hardware: Words
    commit: Words
    date: date
    recipe: Words | None = None
    command: Words
    metric: Metric
    baseline: Words
    sampling: Text | None = None
    further: tuple[Metric, ...] = ()
    weather: UnderWeather | None = None
    layers: tuple[Words, ...] = ()
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _check(self) -> "Study":
        strengths = 0 if self.weather is None else len(self.weather.strengths)
        for place, row in enumerate(self.rows):
            if unknown := row.figures.keys() - {metric.name for metric in self.further}:
                raise ValueError(f"'rows[{place}].figures' has {min(unknown)!r}, which 'further' lacks")
            curves = [curve for by_seed in row.weather.values() for curve in by_seed]
            _have_length(f"rows[{place}].weather", curves, strengths, "one value for each of 'weather.strengths'")
            chosen = [part for choice in row.search for part in (choice.gates, choice.size)]
            _have_length(f"rows[{place}].search", chosen, len(self.layers), "four values for each of 'layers'")
        return self

    @property
    def task(self) -> str:
        """ "segmentation" or "style"."""
        return "style" if self.data == "styles" else "segmentation"

    @property
    def baseline_label(self) -> str:
        """The baseline's name for people, without a setting."""
        return next(row.label for row in self.rows if row.norm == self.baseline)

    def baseline_of(self, row: Row) -> Row | None:
        """The row that `row` is held against: the baseline's of the same setting, else its first; None for that one."""
        candidates = [other for other in self.rows if other.norm == self.baseline]
        if row.norm == self.baseline:
            return None if row is candidates[0] else candidates[0]
        return next((other for other in candidates if other.setting == row.setting), candidates[0])

    def difference(self, row: Row) -> PairedDifference | None:
        """`row` minus its baseline over the seeds that both have; None for a baseline, or without a common seed."""
        baseline = self.baseline_of(row)
        if baseline is None or not (common := [seed for seed in row.seeds if seed in baseline.seeds]):
            return None
        return paired_difference([row.by_seed[s] for s in common], [baseline.by_seed[s] for s in common])

    def by_figure(self, metric: Metric) -> "Study":
        """This study with a further metric in the place of the main one."""
        rows = (row for row in self.rows if metric.name in row.figures)
        rows = (dataclasses.replace(row, values=row.figures[metric.name].values) for row in rows)
        return dataclasses.replace(self, name=f"{self.name}-{metric.name}", metric=metric, rows=tuple(rows))

    def under_weather(self) -> "Study | None":
        """This study with each row's values under weather: by seed, the mean over kinds and strengths above 0.

        None where nothing was measured so.
        """
        measured = [row for row in self.rows if row.weather]
        if self.weather is None or not measured:
            return None
        rows = tuple(map(self.weather.mean_of, measured))
        return dataclasses.replace(self, name=f"{self.name}-weather", rows=rows)


def _have_length(name: str, lists: Collection[Sequence], length: int, wanted: str) -> None:
    if any(len(values) != length for values in lists):
        raise ValueError(f"'{name}' must have {wanted}")

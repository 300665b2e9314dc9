"""What a study measured. A file of results/ is one `Study`; `reading` says what such a file holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from habn.results.statistics import PairedDifference, mean, paired_difference

PROTOCOLS = ("branched", "scratch", "shipped")
"""branched: all go on from the weights of one trunk; scratch: each from its own start; shipped: the page's networks."""
LANGUAGES = ("en", "es")
"""Those that the page speaks; the first is what everybody gets whose language is not among them."""

_METRIC_LABELS = {
    "mean_iou": "mIoU",
    "frechet": "SqueezeNet Fréchet distance",
    "style": "distance to the painting",
    "content": "distance to the photograph",
    "ssim": "SSIM",
}

Text = dict[str, str]
"""A text in each of LANGUAGES."""


@dataclass(frozen=True)
class Metric:
    """What the values are: "mean_iou" in "%", higher is better."""

    name: str
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


@dataclass(frozen=True, kw_only=True)
class Row:
    """One normalization, trained once per seed.

    Attributes:
        norm: its name for programs; `label` is its name for people.
        setting: what else sets it apart from other rows of the same normalization, or "".
        seeds, values: one value per seed, in the metric's unit.
        parameters: of the whole network; `added` of them by the normalization beyond BN's own.
    """

    norm: str
    label: str
    setting: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    parameters: int
    added: int

    @property
    def full_label(self) -> str:
        """With its setting: "HABN+, trained with weather"."""
        return f"{self.label}, {self.setting}" if self.setting else self.label

    @property
    def added_share(self) -> float:
        """The parameters that the normalization adds, over those of the network without them."""
        return self.added / (self.parameters - self.added)

    @property
    def by_seed(self) -> dict[int, float]:
        return dict(zip(self.seeds, self.values, strict=True))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The metric on val while one network was trained."""

    norm: str
    setting: str
    seed: int
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class WeatherRow:
    """The metric of one normalization under one weather: `values[k][strength]`, for the k-th seed of its row."""

    norm: str
    setting: str
    weather: str
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class UnderWeather:
    """The metric against the strength of each weather; strength 0 is the picture as it is.

    Attributes:
        pictures: how many of the split it was measured on, the same for all rows.
    """

    pictures: int
    strengths: tuple[float, ...]
    rows: tuple[WeatherRow, ...]

    def rows_of(self, row: Row) -> list[WeatherRow]:
        """What belongs to a row of the study: one for each weather."""
        return [kind for kind in self.rows if (kind.norm, kind.setting) == (row.norm, row.setting)]

    def mean_of(self, row: Row) -> Row:
        """A row of the study with its values under weather: by seed, the mean over kinds and strengths above 0."""
        by_seed = zip(*(kind.values for kind in self.rows_of(row)), strict=True)
        values = tuple(self.mean(kinds) for kinds in by_seed)
        return replace(row, seeds=row.seeds[: len(values)], values=values)

    def mean(self, curves: Iterable[Sequence[float]]) -> float:
        """The mean of curves over the strengths above 0; a curve has one value for each strength."""
        return mean([value for curve in curves for value, s in zip(curve, self.strengths, strict=True) if s > 0])


@dataclass(frozen=True, kw_only=True)
class SearchRow:
    """What the search chose with one seed.

    Attributes:
        gates: (L, 4), in [0, 1], for scale, bias, mean and variance of each layer.
        size: (L, 4), how much each parameter of the layer adapts: the deviation over pixels of what s adds, as a
            share of the static parameter.
    """

    norm: str
    setting: str
    seed: int
    gates: tuple[tuple[float, ...], ...]
    size: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FurtherRow:
    """A further metric of one normalization: one value per seed of its row, and how far pictures differ in it.

    Attributes:
        deviations: per seed, the standard deviation over all that was measured, such as photographs and styles.
    """

    norm: str
    setting: str
    values: tuple[float, ...]
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class FurtherMetric:
    """A further metric of the networks of a study."""

    metric: Metric
    rows: tuple[FurtherRow, ...]

    def row_of(self, row: Row) -> FurtherRow | None:
        """What belongs to a row of the study."""
        return next((own for own in self.rows if (own.norm, own.setting) == (row.norm, row.setting)), None)


@dataclass(frozen=True)
class StyleRow:
    """The metric of one normalization in one style: one value per seed of its row."""

    norm: str
    setting: str
    style: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Search:
    """The search's choices by layer, in the order of evaluation."""

    layers: tuple[str, ...]
    rows: tuple[SearchRow, ...]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One question, and what was measured to answer it.

    Attributes:
        name: the file's, without .json.
        size: (H, W) of the pictures.
        train: what the networks were trained on; for `steps` steps, which are `epochs` epochs (None: not known).
        command: reproduces it, one command per line.
        baseline: the norm that every other one is held against, seed by seed.
        rows: the main metric; `figures` has further ones of the same networks, `by_style` the main one by style.
        sampling: how many samples of what a value is made of, where the split and its size do not tell.
    """

    name: str
    title: Text
    question: Text
    protocol: str
    data: str
    split: str
    size: tuple[int, int]
    train: str
    steps: int
    epochs: float | None
    hardware: str
    commit: str
    date: str
    command: str
    metric: Metric
    baseline: str
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...] = ()
    weather: UnderWeather | None = None
    search: Search | None = None
    figures: tuple[FurtherMetric, ...] = ()
    by_style: tuple[StyleRow, ...] = ()
    sampling: Text | None = None

    def label_of(self, norm: str, setting: str) -> str:
        """The full label of the row of that normalization and setting, or what comes closest to it."""
        rows = [row for row in self.rows if row.norm == norm]
        exact = next((row.full_label for row in rows if row.setting == setting), None)
        return exact or ", ".join(filter(None, (rows[0].label if rows else norm, setting)))

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

    def by_figure(self, figure: FurtherMetric) -> "Study":
        """This study with a further metric in the place of the main one."""
        found = ((row, figure.row_of(row)) for row in self.rows)
        rows = tuple(replace(row, values=own.values) for row, own in found if own)
        return replace(self, name=f"{self.name}-{figure.metric.name}", metric=figure.metric, rows=rows)

    def under_weather(self) -> "Study":
        """This study with each row's values under weather: by seed, the mean over kinds and strengths above 0."""
        weather = self.weather
        rows = () if weather is None else tuple(weather.mean_of(row) for row in self.rows if weather.rows_of(row))
        return replace(self, name=f"{self.name}-weather", rows=rows)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One figure of the source text, from without to with its method; `change` where it gives nothing else."""

    what: Text
    unit: str
    before: float | None
    after: float | None
    change: float | None


@dataclass(frozen=True)
class Claims:
    """What the source text claims and nobody could check; never mixed with what was measured."""

    note: Text
    claims: tuple[Claim, ...]

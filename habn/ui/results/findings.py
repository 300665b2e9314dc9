"""What may be said of a study in sentences, and what not."""

from collections.abc import Sequence
from statistics import fmean

from habn.results import Metric, Row, Study
from habn.results.statistics import CONFIDENCE, PairedDifference, holm
from habn.ui import words

FEW_ROWS = 4
"""So many are named one by one in a sentence that is true of all."""
OURS = "habn-plus"
"""The normalization that the verdict is about."""


def write_findings(study: Study, language: str) -> str:
    """What was found in each comparison; rows of which the same is said share a sentence.

    A difference counts as found where Holm's p is below 0.05: of many comparisons, chance alone would "find" some.
    """
    compared = judge_rows(study)
    said: dict[tuple[str, str, str, int], list[str]] = {}
    for row, baseline, difference, judgement in compared:
        key, by = judgement, ""
        name = _name(row, baseline)
        if key not in ("one_seed", "open"):
            by = _distance(difference.mean, fmean(baseline.values), study.metric, language)
            if len(compared) > FEW_ROWS:
                key, name, by = f"{key}_many", f"{name} ({by})", ""
        said.setdefault((key, _quoted(baseline.full_label), by, difference.count), []).append(name)
    everyone = words.say("results.all_others", language)
    sentences = [
        words.say(
            f"results.finding_{key}",
            language,
            first=everyone if len(said) == 1 and len(rows) > FEW_ROWS else "; ".join(rows),
            second=baseline,
            by=by,
            count=count,
            comparisons=len(compared),
        )
        for (key, baseline, by, count), rows in said.items()
    ]
    return " ".join(sentences)


def write_verdict(studies: Sequence[Study], language: str) -> list[str]:
    """A sentence on HABN+ for each task and protocol of which a study has more than one seed.

    Of studies with as many steps the newest speaks.
    """
    groups: dict[tuple[str, str], dict[int, Study]] = {}
    for study in sorted(studies, key=lambda study: (study.task, study.protocol != "scratch", study.steps, study.date)):
        if study.protocol != "shipped" and study.baseline == "bn" and _of_ours(study) is not None:
            groups.setdefault((study.task, study.protocol), {})[study.steps] = study
    return [
        words.say(
            f"results.verdict_{task}_{protocol}",
            language,
            found="; ".join(_write_clause(study, language) for study in by_steps.values()),
        )
        for (task, protocol), by_steps in groups.items()
    ]


Judged = tuple[Row, Row, PairedDifference, str]
"""A row, its baseline, their difference, and which of the words "results.finding_..." it deserves."""


def judge_rows(study: Study) -> list[Judged]:
    """Every row that is held against a baseline; their p values count as those of so many comparisons."""
    found = ((row, study.baseline_of(row), study.difference(row)) for row in study.rows)
    compared = [(row, baseline, difference) for row, baseline, difference in found if baseline and difference]
    adjusted = holm([difference.p for *_, difference in compared])
    return [(*one, _judge(one[2], p, study.metric)) for one, p in zip(compared, adjusted, strict=True)]


def _of_ours(study: Study) -> Judged | None:
    """The first row of HABN+ that more than one seed compares."""
    return next((one for one in judge_rows(study) if one[0].norm == OURS and one[2].interval), None)


def _write_clause(study: Study, language: str) -> str:
    """What of HABN+ is found in a study, and which other normalization does better there."""
    ours = _of_ours(study)
    assert ours is not None
    row, baseline, difference, judgement = ours

    def by(difference: PairedDifference) -> str:
        return _distance(difference.mean, fmean(baseline.values), study.metric, language)

    sign = 1 if study.metric.higher_is_better else -1
    best = max(judge_rows(study), key=lambda one: sign * one[2].mean)
    further = ""
    if best[0] is not row:
        further = words.say("results.verdict_best", language, best=best[0].label, by=by(best[2]))
    clause = words.say(
        f"results.verdict_{study.task}_{judgement}",
        language,
        name=row.label,
        baseline=baseline.label,
        by=by(difference),
        steps=words.integer(study.steps, language),
        comparisons=len(judge_rows(study)),
    )
    return f"{clause}{further}"


def _judge(difference: PairedDifference, adjusted: float | None, metric: Metric) -> str:
    """Which of the words "results.finding_..." a difference deserves; adjusted is its p as one of several."""
    if difference.count == 1:
        return "one_seed"
    if difference.p is None or difference.p >= 1 - CONFIDENCE:
        return "open"
    better = "better" if (difference.mean > 0) == metric.higher_is_better else "worse"
    return better if adjusted is not None and adjusted < 1 - CONFIDENCE else f"{better}_alone"


def _name(row: Row, baseline: Row) -> str:
    """A row's label; of a change to the baseline what is changed alone, as "delta = 0" of "HABN+, delta = 0"."""
    own = row.full_label.removeprefix(f"{baseline.full_label}, ")
    return own if own != row.full_label else _quoted(own)


def _quoted(label: str) -> str:
    """A label that has commas of its own must not be taken for two."""
    return f"“{label}”" if "," in label else label


def _distance(difference: float, of: float, metric: Metric, language: str) -> str:
    """ "2.00" of percentages; "0.055 (18 %)", with its share of the baseline, of what has no unit."""
    size = words.decimals(abs(difference), metric.decimals, language)
    return size if metric.unit == "%" else f"{size} ({abs(100 * difference / of):.0f} %)"

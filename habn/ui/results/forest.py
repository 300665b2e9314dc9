"""The figure that the tab opens with: by how much each row of a study is ahead of BN, and how sure that is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from habn.results import Claim, Claims, Row, Study
from habn.ui import words
from habn.ui.results.charts import classes_of, marker_of, ticks
from habn.ui.results.pieces import render, signed

BASELINE = "bn"
TASKS = ("segmentation", "style")


@dataclass(frozen=True, kw_only=True)
class Lead:
    """By how much a row is ahead of BN, and the ends of the interval, if it has one: in points, or percent of BN's."""

    row: Row
    mean: float
    interval: tuple[float, float] | None


def draw_forest(studies: Sequence[Study], claims: Claims | None, language: str) -> Markup:
    """For each task a panel of what was trained from scratch and one of what went on from a trained network.

    A mark stands for each row that is held against BN, by length of training.
    """
    return render(
        "forest.html",
        title=words.say("results.forest", language),
        note=words.say("results.forest_note", language),
        panels=[panel for task in TASKS for panel in _panels(task, studies, claims, language)],
    )


def leads_of(study: Study) -> list[Lead]:
    """The rows of a study that are held against BN, better being above 0 whatever the metric."""
    leads = []
    for row in study.rows:
        baseline, difference = study.baseline_of(row), study.difference(row)
        if baseline is None or difference is None or study.baseline != BASELINE:
            continue
        unit = 1.0 if study.metric.unit == "%" else 100 / fmean(baseline.values)
        scale = unit if study.metric.higher_is_better else -unit
        interval = None
        if difference.interval is not None:
            low, high = sorted(scale * end for end in difference.interval)
            interval = (low, high)
        leads.append(Lead(row=row, mean=scale * difference.mean, interval=interval))
    return leads


def _panels(task: str, studies: Sequence[Study], claims: Claims | None, language: str) -> Iterator[dict]:
    """The panels of a task, on one axis."""
    of_task = sorted((study for study in studies if study.task == task), key=lambda study: (study.steps, study.name))
    groups = [(study, leads) for study in of_task if (leads := leads_of(study))]
    if not groups:
        return
    claimed = [(claim, _claimed_lead(claim)) for claim in (claims.claims if claims else ()) if claim.task == task]
    leads = [lead for _, of_study in groups for lead in of_study]
    ends = [0.0, *(end for lead in leads for end in (lead.interval or (lead.mean,))), *(lead for _, lead in claimed)]
    axis = ticks(min(ends), max(ends))

    def place(value: float) -> float:
        """In percent of the axis."""
        return round(100 * (value - axis[0]) / (axis[-1] - axis[0]), 2)

    for start in ("scratch", "trained"):
        of_start = [found for found in groups if (found[0].protocol == "scratch") == (start == "scratch")]
        if not of_start:
            continue
        yield {
            "title": words.say(f"results.forest_{task}_{start}", language),
            "unit": words.say(f"results.forest_{task}", language),
            "head": [words.say(f"results.{key}", language) for key in ("normalization", "lead", "lead_figure")],
            "zero": place(0),
            "ticks": [(place(tick), _write_tick(tick)) for tick in axis],
            "studies": [
                {
                    "name": study.name,
                    "title": study.title[language],
                    "steps": words.say("results.forest_steps", language, steps=words.integer(study.steps, language)),
                    "marks": [_mark(lead, place, task, language) for lead in leads],
                }
                for study, leads in of_start
            ],
            "claims": [
                {
                    "label": words.say("results.claimed", language),
                    "note": claim.what[language],
                    "at": place(lead),
                    "figure": _figure(lead, None, task, language),
                }
                for claim, lead in claimed
                if start == "scratch"
            ],
        }


def _mark(lead: Lead, place: Callable[[float], float], task: str, language: str) -> dict:
    seeds = len(lead.row.seeds)
    return {
        "row": lead.row,
        "classes": classes_of(lead.row.norm, 0 if lead.interval else 1),
        "path": marker_of(lead.row.norm),
        "at": place(lead.mean),
        "ends": lead.interval and tuple(map(place, lead.interval)),
        "figure": _figure(lead.mean, lead.interval, task, language),
        "seeds": words.say("results.one_seed" if seeds == 1 else "results.many_seeds", language, count=seeds),
    }


def _figure(mean: float, interval: tuple[float, float] | None, task: str, language: str) -> str:
    digits, unit = (2, "") if task == "segmentation" else (0, "\N{NO-BREAK SPACE}%")
    centre, *ends = (signed(value, digits, language) for value in (mean, *(interval or ())))
    if not ends:
        return f"{centre}{unit}"
    return words.say("results.interval", language, mean=f"{centre}{unit}", low=ends[0], high=ends[1])


def _claimed_lead(claim: Claim) -> float:
    """As of a row: in points of what is in percent, else in percent of the figure without the method."""
    if claim.before is None or claim.after is None:
        return 0.0
    gain = claim.after - claim.before
    return gain if claim.unit == "%" else -100 * gain / claim.before


def _write_tick(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"

"""The tab's content as HTML, in a language of `words.LANGUAGES`."""

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from markupsafe import Markup

from habn.results import Claims, Metric, Row, Study
from habn.results.shipped import ShippedScore
from habn.results.speed import SpeedTable
from habn.results.statistics import PairedDifference, standard_deviation
from habn.ui import words
from habn.ui.results.charts import draw_interval
from habn.ui.results.costs import draw_costs
from habn.ui.results.findings import write_findings, write_verdict
from habn.ui.results.forest import draw_forest
from habn.ui.results.pieces import (
    NONE,
    Column,
    data_name,
    draw_table,
    explain,
    metric_column,
    name_row,
    render,
    write_difference,
    write_p,
)
from habn.ui.results.sections import draw_curves, draw_further_metrics, draw_search, draw_styles, draw_weather


def draw_results(
    studies: Sequence[Study],
    claims: Claims | None,
    shipped: Sequence[ShippedScore],
    language: str,
    speed: SpeedTable | None = None,
) -> Markup:
    """All differences to BN in one figure, the verdict, and the page's networks; below, folded, everything else."""
    say = partial(words.say, language=language)
    of_page = [study for study in studies if study.protocol == "shipped"]
    others = [study for study in studies if study.protocol != "shipped"]
    return render(
        "tab.html",
        say=say,
        forest=draw_forest(studies, claims, language) if studies else "",
        verdict=write_verdict(studies, language),
        of_page=[_draw_study(study, language) for study in of_page],
        cards="" if studies else _draw_shipped(shipped, language),
        studies=others,
        language=language,
        sections=[_draw_study(study, language) for study in others],
        costs=draw_costs(speed, language),
        claims=_draw_claims(claims, language),
    )


def draw_error(sentence: str, language: str) -> Markup:
    """Why there are no results to see; where the server keeps its files is not the visitor's business."""
    said, file = words.say("results.broken", language), sentence.rpartition("/results/")[2]
    return Markup("<p>{} <small>{}</small></p>").format(said, file)


def _draw_study(study: Study, language: str) -> Markup:
    """The question and what was found, the rows of the page's networks, and below, folded, all figures."""
    say = partial(words.say, language=language)
    findings = [write_findings(study, language)]
    rows, parts = _draw_rows(study, language), [_draw_facts(study, language)]
    if study.further:
        parts.append(draw_further_metrics(study, language))
    if any(row.styles for row in study.rows):
        parts.append(draw_styles(study, language))
    if study.weather is not None and (summary := study.under_weather()):
        findings.append(f"{say('results.in_weather')} {write_findings(summary, language)}")
        title = say("results.under_weather", pictures=study.weather.pictures)
        parts.append(Markup("<h4>{}</h4>{}").format(title, _draw_rows(summary, language)))
        parts.append(draw_weather(study, study.weather, language))
    if any(len(curve.steps) > 1 for row in study.rows for curve in row.curves):
        parts.append(draw_curves(study, language))
    if study.layers:
        parts.append(draw_search(study, language))
    return render(
        "study.html",
        study=study,
        language=language,
        say=say,
        findings=[finding for finding in findings if finding],
        rows=rows,
        is_of_page=study.protocol == "shipped",
        parts=parts,
    )


def _draw_facts(study: Study, language: str) -> Markup:
    say = partial(words.say, language=language)
    epochs = "" if study.epochs is None else f" ({study.epochs:g} {say('results.epochs')})"
    facts = {
        "data": f"{data_name(study.data, study.split, language)}, {study.size[0]} × {study.size[1]}",
        "train": study.train,
        "schedule": f"{words.integer(study.steps, language)} {say('results.steps')}{epochs}",
        "protocol": say(f"results.{study.protocol}"),
        "machine": study.hardware,
        "when": f"{study.date}, {study.commit}",
    }
    if study.recipe is not None:
        facts["recipe"] = study.recipe
    if study.sampling is not None:
        facts["sampling"] = study.sampling[language]
    return render("facts.html", facts={say(f"results.{key}"): text for key, text in facts.items()})


def _draw_rows(study: Study, language: str) -> Markup:
    """Mean and difference to the baseline of every row; where there are several seeds, spread, interval and p."""
    say = partial(words.say, language=language)
    is_spread = any(len(row.seeds) > 1 for row in study.rows)
    differences = [study.difference(row) for row in study.rows]
    ends = [abs(end) for d in differences if d and d.interval for end in d.interval]
    reach = max(ends, default=1.0) or 1.0
    columns: list[tuple[Column | str, Sequence[str]]] = [
        (say("results.normalization"), [name_row(row) for row in study.rows]),
        (
            metric_column(study.metric, study.name, language),
            [_mean_cell(row, study.metric, language) for row in study.rows],
        ),
    ]
    if is_spread:
        head = Column(say("results.spread"), help=explain("spread", study.name, language))
        columns.append((head, [_spread_cell(row, study.metric, language) for row in study.rows]))
    head = Column(
        say("results.difference_interval" if is_spread else "results.difference", baseline=study.baseline_label),
        help=explain("interval", study.name, language) if is_spread else Markup(),
    )
    pairs = zip(study.rows, differences, strict=True)
    columns.append((head, [_difference_cell(row, d, reach, study.metric, language) for row, d in pairs]))
    if is_spread:
        head = Column("p", help=explain("p", study.name, language))
        columns.append((head, [write_p(d, language) or NONE for d in differences]))
    columns += [
        (say("results.seeds"), [_seeds_cell(row) for row in study.rows]),
        (say("results.parameters"), [_parameters_cell(row, language) for row in study.rows]),
    ]
    heads, cells = zip(*columns, strict=True)
    return draw_table(study.title[language], heads, list(zip(*cells, strict=True)))


def _mean_cell(row: Row, metric: Metric, language: str) -> Markup:
    return Markup("<strong>{}</strong>").format(words.decimals(fmean(row.values), metric.decimals, language))


def _spread_cell(row: Row, metric: Metric, language: str) -> str:
    spread = standard_deviation(row.values)
    return NONE if spread is None else words.decimals(spread, metric.decimals, language)


def _difference_cell(
    row: Row, difference: PairedDifference | None, reach: float, metric: Metric, language: str
) -> Markup:
    compared = write_difference(difference, metric, language)
    if difference and difference.interval:
        return draw_interval(difference.mean, difference.interval, reach, row.norm, compared) + compared
    return Markup.escape(compared) or NONE


def _seeds_cell(row: Row) -> Markup:
    return Markup('<span title="{}">{}</span>').format(", ".join(map(str, row.seeds)), len(row.seeds))


def _parameters_cell(row: Row, language: str) -> Markup:
    added = Markup("<small>+{}</small>").format(words.percent(row.added_share, language, digits=2))
    return Markup("{}{}").format(words.integer(row.parameters, language), added if row.added else "")


def _draw_shipped(shipped: Sequence[ShippedScore], language: str) -> Markup:
    say = partial(words.say, language=language)
    head = [say(f"results.{key}") for key in ("checkpoint", "metric", "value")]
    names = words.table("results")[language]
    rows = [
        [
            Markup("{}<small>{}</small>").format(score.checkpoint, data_name(score.data, score.split, language)),
            names.get(f"metric_{score.metric}", score.metric),
            f"{score.value:g}",
        ]
        for score in shipped
    ]
    return Markup("<p>{}</p>{}").format(say("results.none"), draw_table(say("results.cards"), head, rows))


def _draw_claims(claims: Claims | None, language: str) -> Markup:
    if claims is None:
        return Markup()
    say = partial(words.say, language=language)
    head = [say(f"results.{key}") for key in ("claimed_what", "claimed_before", "claimed_after")]
    rows = [
        [claim.what[language], _figure(claim.before, claim.unit, language), _figure(claim.after, claim.unit, language)]
        if claim.change is None
        else [claim.what[language], "", f"+{_figure(claim.change, claim.unit, language)}"]
        for claim in claims.claims
    ]
    table = draw_table(say("results.claimed"), head, rows)
    return render("claims.html", title=say("results.claimed"), note=claims.note[language], table=table)


def _figure(value: float | None, unit: str, language: str) -> str:
    return "" if value is None else f"{words.decimals(value, 1, language)} {unit}".rstrip()

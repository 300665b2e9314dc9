"""The tab's content as HTML, in a language of `words.LANGUAGES`."""

from collections.abc import Sequence
from functools import partial
from html import escape

from habn.results import Claims, Metric, Row, Study
from habn.results.shipped import ShippedScore
from habn.results.speed import SpeedTable
from habn.results.statistics import CONFIDENCE, PairedDifference, holm, mean, standard_deviation
from habn.results.tables import format_difference, format_p
from habn.ui import words
from habn.ui.help import draw_help
from habn.ui.results.charts import draw_interval
from habn.ui.results.costs import draw_costs
from habn.ui.results.sections import (
    data_name,
    draw_curves,
    draw_further_metrics,
    draw_metric,
    draw_search,
    draw_styles,
    draw_table,
    draw_weather,
    name_row,
)

FEW_ROWS = 4
"""So many are named one by one in a sentence that is true of all."""


def draw_results(
    studies: Sequence[Study],
    claims: Claims | None,
    shipped: Sequence[ShippedScore],
    language: str,
    speed: SpeedTable | None = None,
) -> str:
    """Every study with its tables and figures, what normalizations cost, and the claims in a box of their own."""
    say = partial(words.say, language=language)
    measured = "".join(_draw_study(study, language) for study in studies) or _draw_shipped(shipped, language)
    contents = _draw_contents(studies, language) if len(studies) > 1 else ""
    costs = draw_costs(speed, language)
    return f"<p>{say('results.introduction')}</p>{contents}{measured}{costs}{_draw_claims(claims, language)}"


def draw_error(sentence: str, language: str) -> str:
    """Why there are no results to see; where the server keeps its files is not the visitor's business."""
    return (
        f"<p>{words.say('results.broken', language)} <small>{escape(sentence.rpartition('/results/')[2])}</small></p>"
    )


def _draw_contents(studies: Sequence[Study], language: str) -> str:
    """Where each study stands further down."""
    links = (f'<li><a href="#study-{study.name}">{escape(study.title[language])}</a></li>' for study in studies)
    label = escape(words.say("results.contents", language), quote=True)
    return f'<nav class="contents" aria-label="{label}"><ul>{"".join(links)}</ul></nav>'


def _draw_study(study: Study, language: str) -> str:
    """The question and what was found, and below it the figures, open for the page's networks alone."""
    findings = [_findings(study, language)]
    parts = [_draw_facts(study, language), _draw_rows(study, language)]
    if study.figures:
        parts.append(draw_further_metrics(study, language))
    if study.by_style:
        parts.append(draw_styles(study, language))
    if study.weather is not None:
        summary = study.under_weather()
        findings.append(f"{words.say('results.in_weather', language)} {_findings(summary, language)}")
        title = f"<h4>{words.say('results.under_weather', language, pictures=study.weather.pictures)}</h4>"
        parts += [title, _draw_rows(summary, language), draw_weather(study, study.weather, language)]
    if any(len(curve.steps) > 1 for curve in study.curves):
        parts.append(draw_curves(study, language))
    if study.search is not None:
        parts.append(draw_search(study, study.search, language))
    is_open = " open" if study.protocol == "shipped" else ""
    found = "".join(f"<p>{finding}</p>" for finding in findings if finding)
    return f"""<section id="study-{study.name}"><h3>{escape(study.title[language])}</h3>
        <p>{escape(study.question[language])}</p>{found}
        <details{is_open}><summary>{words.say("results.figures", language)}</summary>{"".join(parts)}</details>
        {_draw_command(study, language)}</section>"""


def _draw_facts(study: Study, language: str) -> str:
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
    if study.sampling is not None:
        facts["sampling"] = study.sampling[language]
    items = (f"<div><dt>{say(f'results.{key}')}</dt><dd>{escape(text)}</dd></div>" for key, text in facts.items())
    return f'<dl class="facts">{"".join(items)}</dl>'


def _draw_rows(study: Study, language: str) -> str:
    """Mean, spread and the paired difference to the baseline of every row."""
    say = partial(words.say, language=language)
    head = [
        say("results.normalization"),
        draw_metric(study.metric, f"results-{study.name}", language),
        say("results.spread") + draw_help("spread", f"results-{study.name}", language),
        say("results.difference", baseline=escape(study.baseline_label))
        + draw_help("interval", f"results-{study.name}", language),
        "p" + draw_help("p", f"results-{study.name}", language),
        say("results.seeds"),
        say("results.parameters"),
    ]
    differences = [study.difference(row) for row in study.rows]
    ends = [abs(end) for d in differences if d and d.interval for end in d.interval]
    reach = max(ends, default=1.0) or 1.0
    rows = [_row_cells(row, d, reach, study.metric, language) for row, d in zip(study.rows, differences, strict=True)]
    return draw_table(study.title[language], head, rows)


def _row_cells(row: Row, difference: PairedDifference | None, reach: float, metric: Metric, language: str) -> list[str]:
    spread = standard_deviation(row.values)
    compared = format_difference(difference, metric)
    interval = (
        draw_interval(difference.mean, difference.interval, reach, row.norm, compared)
        if difference and difference.interval
        else ""
    )
    added = f"<small>+{row.added_share:.2%}</small>" if row.added else ""
    return [
        name_row(row),
        f"<strong>{mean(row.values):.{metric.decimals}f}</strong>",
        _or_dash("" if spread is None else f"{spread:.{metric.decimals}f}"),
        _or_dash(f"{interval}{compared}"),
        _or_dash(format_p(difference).replace("<", "&lt;")),
        f'<span title="{escape(", ".join(map(str, row.seeds)))}">{len(row.seeds)}</span>',
        f"{words.integer(row.parameters, language)}{added}",
    ]


def _findings(study: Study, language: str) -> str:
    """What may be said of each comparison, and what not; rows of which the same is said share a sentence.

    A difference counts as found where Holm's p is below 0.05: of many comparisons, chance alone would "find" some.
    """
    found = ((row, study.baseline_of(row), study.difference(row)) for row in study.rows)
    compared = [(row, base, difference) for row, base, difference in found if base and difference]
    adjusted = holm([difference.p for *_, difference in compared])
    said: dict[tuple, list[str]] = {}
    for (row, baseline, difference), p in zip(compared, adjusted, strict=True):
        key, by = _judge(difference, p, study.metric), ""
        name = _name(row, baseline)
        if key not in ("one_seed", "open"):
            by = _distance(abs(difference.mean), mean(baseline.values), study.metric)
            if len(compared) > FEW_ROWS:
                key, name, by = f"{key}_many", f"{name} ({by})", ""
        said.setdefault((key, baseline, by, difference.count), []).append(name)
    everyone = words.say("results.all_others", language)
    sentences = [
        words.say(
            f"results.finding_{key}",
            language,
            first=everyone if len(said) == 1 and len(rows) > FEW_ROWS else escape("; ".join(rows)),
            second=escape(_quoted(baseline.full_label)),
            by=by,
            count=count,
            comparisons=len(compared),
        )
        for (key, baseline, by, count), rows in said.items()
    ]
    return " ".join(sentences)


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


def _distance(difference: float, of: float, metric: Metric) -> str:
    """ "2.00" of percentages; "0.055 (18 %)", with its share of the baseline, of what has no unit."""
    share = "" if metric.unit == "%" else f" ({100 * difference / of:.0f} %)"
    return f"{difference:.{metric.decimals}f}{share}"


def _draw_command(study: Study, language: str) -> str:
    say = partial(words.say, language=language)
    return f"""<details class="command"><summary>{say("results.again")}</summary><div>
        <pre tabindex="0" aria-label="{say("results.again")}"><code>{escape(study.command)}</code></pre>
        <button type="button" data-copy="{say("results.copied")}">{say("results.copy")}</button></div></details>"""


def _draw_shipped(shipped: Sequence[ShippedScore], language: str) -> str:
    say = partial(words.say, language=language)
    head = [say(f"results.{key}") for key in ("checkpoint", "metric", "value")]
    names = words.table("results")[language]
    rows = [
        [
            f"{escape(f.checkpoint)}<small>{escape(data_name(f.data, f.split, language))}</small>",
            escape(names.get(f"metric_{f.metric}", f.metric)),
            f"{f.value:g}",
        ]
        for f in shipped
    ]
    return f"<p>{say('results.none')}</p>{draw_table(say('results.cards'), head, rows)}"


def _draw_claims(claims: Claims | None, language: str) -> str:
    if claims is None:
        return ""
    say = partial(words.say, language=language)
    head = [say(f"results.{key}") for key in ("claimed_what", "claimed_before", "claimed_after")]
    rows = [
        [escape(claim.what[language]), _figure(claim.before, claim.unit), _figure(claim.after, claim.unit)]
        if claim.change is None
        else [escape(claim.what[language]), "", f"+{_figure(claim.change, claim.unit)}"]
        for claim in claims.claims
    ]
    return f"""<section class="claimed"><h3>{say("results.claimed")}</h3><p>{escape(claims.note[language])}</p>
        {draw_table(say("results.claimed"), head, rows)}</section>"""


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {escape(unit)}".rstrip()


def _or_dash(text: str) -> str:
    return text or '<span class="none">–</span>'

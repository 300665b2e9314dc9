"""The page's words and tables about a result, as HTML, in a language of `words.LANGUAGES`."""

from html import escape

from habn.comparison.painting import Painting
from habn.comparison.request import Output, Result
from habn.comparison.streets import looks_like_no_street, mean_sureness
from habn.ui import words
from habn.ui.help import TERMS, draw_help

ALIKE = 0.01  # of a distance: checkpoints of one seed do not tell more
SMALLEST_SHARE = 0.0005  # a class below it in both answers is left out of the legend

# What keeps each place until the first answer is there, as large as an answer is.
SIDES_TO_COME = '<div class="sides to-come"></div>'
VERDICT_TO_COME = f'<p class="verdict">{words.label("compare.waiting")}</p><p class="why"></p>'
FIGURES_TO_COME = '<div class="to-come figures-to-come"></div>'
LEGEND_TO_COME = '<div class="to-come legend-to-come"></div>'


def draw_sides(result: Result, language: str) -> str:
    """The names over the two halves of the slider."""
    first, second = (
        f'<span><span class="side {side}">{escape(output.label)}</span>{_help(output.norm, language)}</span>'
        for side, output in (("first", result.first), ("second", result.second))
    )
    return f'<div class="sides">{first}<span class="hint">{words.say("compare.drag", language)}</span>{second}</div>'


def draw_verdict(result: Result, language: str, example: str | None = None) -> str:
    """What the two answers differ in, in one sentence, and why.

    Args:
        result: both answers.
        language: of the words.
        example: stem of the example that is shown; the first view has a sentence of its own, written by looking at it.
    """
    key = "disagree" if result.task == "segmentation" else "pictures_differ"
    if result.difference.max() == 0:
        key = "same"
    share = words.percent(float(result.difference.mean()), language)
    names = {"first": escape(result.first.label), "second": escape(result.second.label)}
    sentences = [words.say(f"compare.{key}", language, share=share, **names)]
    texts = words.table("compare")[language]
    if (seen := _seen(result, example)) in texts and key != "same":
        sentences.insert(0, texts[seen])
    if (why := f"why_{result.first.norm}_{result.second.norm}") in texts:
        sentences.append(texts[why])
    if (no_street := draw_no_street(result, language)) is not None:
        sentences.insert(0, no_street)
    headline, *rest = sentences
    return f'<p class="verdict">{headline}</p><p class="why">{" ".join(rest)}</p>'


def draw_no_street(result: Result, language: str) -> str | None:
    """That the networks do not know what they look at, if they are less sure than on streets; else None.

    A photo with labels is one that they were made for.
    """
    if result.task != "segmentation" or result.first.mean_iou is not None:
        return None
    both = [(output, looks_like_no_street(output)) for output in (result.first, result.second)]
    unsure = [(output, measured) for output, measured in both if measured is not None]
    if len(unsure) < len(both) or result.first.confidence is None:
        return None
    output, measured = unsure[0]
    sure = words.percent(mean_sureness(result.first.confidence), language, digits=0)
    usual = words.percent(measured.streets, language, digits=0)
    return words.say("compare.no_street", language, label=escape(output.label), sure=sure, usual=usual)


def draw_refusal(sentence: str, language: str) -> str:
    """Why there is no new answer, in the place of the verdict; what is shown remains the one before."""
    remains = words.say("compare.answer_before", language)
    return f'<p class="verdict" role="alert">{escape(sentence)} <small>{remains}</small></p>'


def draw_figures(result: Result, language: str) -> str:
    """Table: score (where the picture has labels), time and parameters of each network."""
    scored = result.first.mean_iou is not None
    columns = [("iou_here", "iou")] * scored + [("time", "time"), ("parameters", "parameters")]
    heads = "".join(
        f'<th scope="col">{words.say(f"compare.{key}", language)}{draw_help(term, "figures", language)}</th>'
        for key, term in columns
    )
    rows = "".join(
        _figures_row(output, side, scored, language)
        for side, output in (("first", result.first), ("second", result.second))
    )
    return f"""<table class="figures"><thead><tr><th scope="col">{words.say("compare.network", language)}</th>{heads}
        </tr></thead><tbody>{rows}</tbody></table>"""


def draw_legend(result: Result, language: str) -> str:
    """Table: colour and name of each class that was seen, and its share of the photo in both; for style, nothing."""
    first, second = result.first, result.second
    if result.task != "segmentation":
        return ""
    seen = {name: (first.areas.get(name, 0.0), second.areas.get(name, 0.0)) for name in second.classes}
    seen = {name: shares for name, shares in seen.items() if max(shares) >= SMALLEST_SHARE}
    names = sorted(seen, key=lambda name: -max(seen[name]))
    colours = dict(zip(second.classes, second.palette.tolist(), strict=True))
    rows = "".join(_legend_row(name, colours[name], *seen[name], language) for name in names)
    return f"""<table class="legend"><thead><tr><th scope="col">{words.say("compare.class", language)}</th>
        <th scope="col">{escape(first.label)}</th><th scope="col">{escape(second.label)}</th></tr></thead>
        <tbody>{rows}</tbody></table><p class="knows">{words.say("compare.knows", language, count=len(second.classes))}
        </p>"""


def describe_painting(painting: Painting, language: str) -> str:
    """ "The Starry Night, at 60 %, with 30 % of The Scream, in the photo's colours"."""
    parts = [words.say(f"styles.{painting.style}", language)]
    if painting.strength < 1:
        parts.append(
            words.say(
                "painting.described_strength", language, share=words.percent(painting.strength, language, digits=0)
            )
        )
    if painting.second_style and painting.second_share:
        second = {"share": words.percent(painting.second_share, language, digits=0)}
        second["title"] = words.say(f"styles.{painting.second_style}", language)
        parts.append(words.say("painting.described_second", language, **second))
    if painting.keep_colours:
        parts.append(words.say("painting.described_colours", language))
    return ", ".join(parts)


def draw_measured(result: Result, language: str) -> str:
    """One sentence on how close both networks of a style pair come to paintings and photograph, as measured."""
    if result.task != "style":
        return ""
    figures = scores_of_checkpoints(result)
    if not figures:
        return ""
    said: dict[str, tuple[str, dict[str, str]]] = {}
    for part, (metric, values) in zip(("paintings", "photograph"), figures.items(), strict=True):
        distances = list(zip(values, (result.first.label, result.second.label), strict=True))
        (near, closer), (far, other) = sorted(distances)
        how = "alike" if far - near < ALIKE * far else "nearer"
        near_text, far_text = (words.decimals(value, 3, language) for value in (near, far))
        fields = {"near": near_text, "far": far_text, "closer": closer, "other": other}
        said[part] = how, fields | {"metric": words.say(f"painting.metric_{metric}", language)}
    (paintings_how, fields), (photograph_how, of_photograph) = said["paintings"], said["photograph"]
    if paintings_how == photograph_how == "nearer" and fields["closer"] == of_photograph["closer"]:
        photograph_how = "also_nearer"
    sentence = words.say(
        "painting.measured",
        language,
        paintings=words.say(f"painting.{paintings_how}_paintings", language, **fields),
        photograph=words.say(f"painting.{photograph_how}_photograph", language, **of_photograph),
    )
    marks = "".join(draw_help(metric, "measured", language) for metric in figures)
    return f"<p>{escape(sentence)}{marks}</p>"


def scores_of_checkpoints(result: Result) -> dict[str, tuple[float, float]]:
    """What both checkpoints say that they were measured at, by metric: mIoU on test; or, of style, the
    distances to paintings and photograph, on test where both were measured there. Nothing where one of them lacks it.
    """
    scores = [output.metrics for output in (result.first, result.second)]
    known: list[tuple[str, tuple[str, ...]]] = [("test", ("mean_iou",))]
    if result.task == "style":
        known = [("test", ("frechet", "content")), ("val", ("style", "content"))]
    for split, metrics in known:
        if all(metric in of_one.get(split, {}) for of_one in scores for metric in metrics):
            return {metric: (scores[0][split][metric], scores[1][split][metric]) for metric in metrics}
    return {}


def _seen(result: Result, example: str | None) -> str:
    """The key of the words on a view that somebody has looked at; they hold for a plain painting only."""
    painting = result.painting
    if painting is None:
        return f"seen_{example}_{result.pair}"
    return f"seen_{example}_{result.pair}_{painting.style}" if painting == Painting(painting.style) else ""


def _help(norm: str, language: str) -> str:
    return draw_help(norm, "sides", language) if norm in TERMS else ""


def _figures_row(output: Output, side: str, scored: bool, language: str) -> str:
    score = f"<td>{words.percent(output.mean_iou, language)}</td>" if scored and output.mean_iou is not None else ""
    parameters = f"{words.integer(output.parameters, language)}{_added(output, language)}"
    return f"""<tr><th scope="row"><span class="side {side}">{escape(output.label)}</span></th>{score}
        <td>{words.milliseconds(output.seconds)}</td><td>{parameters}</td></tr>"""


def _added(output: Output, language: str) -> str:
    """What the normalization alone adds to the parameters of the network beneath it."""
    if not output.added:
        return ""
    share = words.percent(output.added / (output.parameters - output.added), language, digits=2)
    return f"<small>{words.say('compare.added', language, share=share, label=escape(output.label))}</small>"


def _legend_row(name: str, colour: list[int], first: float, second: float, language: str) -> str:
    red, green, blue = colour
    chip = f'<span class="chip" style="background: rgb({red}, {green}, {blue})"></span>'
    return f"""<tr><th scope="row">{chip}{escape(words.say(f"classes.{name}", language))}</th>
        {_share_cell(first, "first", language)}{_share_cell(second, "second", language)}</tr>"""


def _share_cell(share: float, side: str, language: str) -> str:
    return f'<td>{words.percent(share, language)}<span class="bar {side}" style="width: {share:.1%}"></span></td>'

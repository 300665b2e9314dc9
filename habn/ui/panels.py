"""The page's words and tables about a result, as HTML."""

from html import escape

from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.engine import Output, Result

SCORE_HELP = (
    "Intersection over union with the true labels of this one picture, averaged over the classes that occur in it or "
    "in the answer; 100 % is perfect. Not to be compared with the mIoU of a data set."
)
TIME_HELP = "One pass on this server just now, not a benchmark"
SMALLEST_SHARE = 0.0005  # a class below it in both answers is left out of the legend


def draw_sides(result: Result) -> str:
    """The names over the two halves of the slider."""
    return f"""<div class="sides"><span class="side first">{escape(result.first.label)}</span>
        <span class="hint">drag the line</span><span class="side second">{escape(result.second.label)}</span></div>"""


def draw_verdict(result: Result) -> str:
    """One sentence: how much the two answers differ."""
    first, second = escape(result.first.label), escape(result.second.label)
    share = _percent(float(result.difference.mean()))
    if result.difference.max() == 0:
        sentence = f"{first} and {second} give <strong>exactly the same</strong> answer for this photo."
    elif result.task == "segmentation":
        sentence = f"{first} and {second} disagree on <strong>{share}</strong> of the photo."
    else:
        sentence = f"The two pictures differ by <strong>{share}</strong> of the colour range on average."
    return f'<p class="verdict">{sentence}</p>'


def draw_refusal(sentence: str) -> str:
    """Why there is no new answer, in the place of the verdict; what is shown remains the one before."""
    return f'<p class="verdict">{escape(sentence)} <small>Everything shown here is the answer before.</small></p>'


def draw_figures(result: Result) -> str:
    """Table: score (where the picture has labels), time and parameters of each network."""
    scored = result.first.mean_iou is not None
    score = f'<th scope="col" title="{SCORE_HELP}">IoU here</th>' if scored else ""
    rows = _figures_row(result.first, "first", scored) + _figures_row(result.second, "second", scored)
    return f"""<table class="figures"><thead><tr><th scope="col">Network</th>{score}
        <th scope="col" title="{TIME_HELP}">Time</th><th scope="col">Parameters</th></tr></thead>
        <tbody>{rows}</tbody></table>"""


def draw_legend(result: Result) -> str:
    """Table: colour and name of each class that was seen, and its share of the photo in both; for style, nothing."""
    first, second = result.first, result.second
    if result.task != "segmentation":
        return ""
    seen = {name: (first.areas.get(name, 0.0), second.areas.get(name, 0.0)) for name in STREET_CLASSES}
    seen = {name: shares for name, shares in seen.items() if max(shares) >= SMALLEST_SHARE}
    rows = "".join(_legend_row(name, *seen[name]) for name in sorted(seen, key=lambda name: -max(seen[name])))
    return f"""<table class="legend"><thead><tr><th scope="col">Class</th><th scope="col">{escape(first.label)}</th>
        <th scope="col">{escape(second.label)}</th></tr></thead><tbody>{rows}</tbody></table>"""


def draw_correspondence(result: Result) -> str:
    """A warning where the networks' channels must not be compared one by one, else nothing."""
    if result.correspond:
        return ""
    return """<p class="caution">These two networks were trained apart: channel 7 of one is not channel 7 of the other.
        Compare their maps <em>s</em> and how they adapt, and not single channels.</p>"""


def _figures_row(output: Output, side: str, scored: bool) -> str:
    score = f"<td>{_percent(output.mean_iou)}</td>" if scored else ""
    return f"""<tr><th scope="row"><span class="side {side}">{escape(output.label)}</span></th>{score}
        <td>{output.seconds * 1000:.0f} ms</td><td>{output.parameters:,}{_added(output)}</td></tr>"""


def _added(output: Output) -> str:
    """What the normalization alone adds to the parameters of the network beneath it."""
    share = output.added / (output.parameters - output.added)
    return f"<small>+{share:.2%} by {escape(output.label)}</small>".replace("%", " %") if output.added else ""


def _legend_row(name: str, first: float, second: float) -> str:
    red, green, blue = STREET_PALETTE[STREET_CLASSES.index(name)]
    chip = f'<span class="chip" style="background: rgb({red}, {green}, {blue})"></span>'
    return f"""<tr><th scope="row">{chip}{escape(name)}</th>
        {_share_cell(first, "first")}{_share_cell(second, "second")}</tr>"""


def _share_cell(share: float, side: str) -> str:
    return f'<td>{_percent(share)}<span class="bar {side}" style="width: {share:.1%}"></span></td>'


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")

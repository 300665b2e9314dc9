"""What each normalization costs, beside the studies."""

from functools import partial
from html import escape

from habn.results.speed import COLUMNS, SpeedTable
from habn.ui import words
from habn.ui.results.charts import NORMS
from habn.ui.results.sections import draw_table

KEYS = dict(zip(COLUMNS, ("cost_evaluation", "cost_training", "cost_bfloat16", "cost_memory"), strict=True))


def draw_costs(table: SpeedTable | None, language: str) -> str:
    """The section, or nothing where nothing was measured."""
    if table is None:
        return ""
    say = partial(words.say, language=language)
    names = words.table("results")[language]
    threads = {1: say("results.cost_one_thread")}
    head = [say("results.normalization")] + [
        f"{say(f'results.{KEYS[what]}')}, {threads.get(count) or say('results.cost_threads', count=count)}"
        for what, count in table.columns
    ]
    rows = [
        [_named(norm, names.get(f"cost_norm_{norm}", table.labels[norm])), *map(_ratio, ratios)]
        for norm, ratios in table.rows.items()
    ]
    return f"""<section id="costs"><h3>{say("results.costs")}</h3><p>{say("results.costs_note")}</p>
        {draw_table(say("results.costs"), head, rows)}
        <p><small>{say("results.costs_where", count=table.repeats)} {escape(table.where)}</small></p></section>"""


def _named(norm: str, label: str) -> str:
    known = next((n for n in NORMS if norm in (n, f"{n}-shipped", f"{n}-folded")), "other")
    return f'<span class="name norm-{known}">{escape(label)}</span>'


def _ratio(ratio: float | None) -> str:
    return '<span class="none">–</span>' if ratio is None else f"{ratio:.2f}"

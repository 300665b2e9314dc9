"""What each normalization costs, beside the studies."""

from functools import partial

from markupsafe import Markup

from habn.results.speed import COLUMNS, SpeedTable
from habn.ui import words
from habn.ui.results.charts import NORMS
from habn.ui.results.pieces import NONE, Column, draw_table, render

KEYS = dict(zip(COLUMNS, ("cost_evaluation", "cost_training", "cost_bfloat16", "cost_memory"), strict=True))


def draw_costs(table: SpeedTable | None, language: str) -> Markup:
    """The section, or nothing where nothing was measured."""
    if table is None:
        return Markup()
    say = partial(words.say, language=language)
    names = words.table("results")[language]
    threads = {1: say("results.cost_one_thread")}
    head: list[Column | str] = [
        say("results.normalization"),
        *(
            Column(say(f"results.{KEYS[what]}"), threads.get(count) or say("results.cost_threads", count=count))
            for what, count in table.columns
        ),
    ]
    rows = [
        [_named(norm, names.get(f"cost_norm_{norm}", table.labels[norm])), *(_ratio(r, language) for r in ratios)]
        for norm, ratios in table.rows.items()
    ]
    return render(
        "costs.html",
        title=say("results.costs"),
        note=say("results.costs_note"),
        table=draw_table(say("results.costs"), head, rows),
        where=f"{say('results.costs_where', count=table.repeats)} {table.where}",
    )


def _named(norm: str, label: str) -> Markup:
    known = next((n for n in NORMS if norm in (n, f"{n}-shipped", f"{n}-folded")), "other")
    return Markup('<span class="name norm-{}">{}</span>').format(known, label)


def _ratio(ratio: float | None, language: str) -> str:
    return NONE if ratio is None else words.decimals(ratio, 2, language)

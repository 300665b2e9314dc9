"""A "?" beside a term, which opens one sentence about it: by pointer, touch and keyboard, and without a script."""

from habn.ui import words

TERMS = (
    *("bn", "habn", "habn-plus", "in", "iou", "pair", "parameters", "time"),
    *("mean_iou", "frechet", "style", "content", "ssim"),
    *("spread", "interval", "p", "weather", "gate"),
)


def draw_help(term: str, place: str, language: str | None = None) -> str:
    """HTML for any `gr.HTML`: a button "?", and the sentence that it opens, which Esc or a click elsewhere closes.

    Args:
        term: its sentence and its name are the words "help.TERM" and "help.TERM_term".
        place: the part of the page that it stands in; it makes the piece's id unique on the page.
        language: for what an event shows; None for what stands on the page from the start, in all of them.
    """

    def text(key: str) -> str:
        return words.spans(key) if language is None else words.say(key, language)

    name = f"help-{place}-{term}"
    return (
        f'<button type="button" class="help" popovertarget="{name}"><span aria-hidden="true">?</span>'
        f'<span class="unseen">{text("help.explain")} {text(f"help.{term}_term")}</span></button>'
        f'<span class="help-text" id="{name}" popover>{text(f"help.{term}")}</span>'
    )

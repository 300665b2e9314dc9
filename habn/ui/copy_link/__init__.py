"""The button that copies a link to what is shown."""

from pathlib import Path

from habn.ui import words
from habn.ui.part import Part


class CopyLink(Part):
    """Copies the page's address; where the browser does not allow that, it shows the address, selected.

    Its value is {"entries": what the server puts into the address, as `Link.entries` returns it, "complete": whether
    the address says all of what is shown, which it cannot of an uploaded photo}, or None.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(
            value,
            folder=Path(__file__).parent,
            name="template",
            stylesheet="style.css",
            scripts=("script.js",),
            table=words.table("link"),
            elem_classes=("part-export",),
            render=render,
        )

"""The three components of an experiment: controls of the weather, controls of the adaptation, and what came of them.

The value of the controls has up to three keys. The server sets `run`, the id of the comparison that the page shows, and
`scene`, what is needed to draw the controls for it; the browser sets `settings`, what the visitor chose, which nobody
else ever changes but a link when the page is opened. Event `input`: run the networks with the settings. It comes once
per release, and when controls are seen whose scene is not that of the comparison shown.
"""

from pathlib import Path

from habn.data.weather import WEATHER, draw_place
from habn.layers import PARAMETERS
from habn.ui import words
from habn.ui.part import Part

_HERE = Path(__file__).parent
_FIRST_SEED = 0


class _Part(Part):
    """A part of the experiment: the template and the script of its name, the scripts before it, and one stylesheet."""

    # Gradio wraps a component's __init__ and would drop *scripts.
    def __init__(self, value: dict | None, render: bool, name: str, scripts: tuple[str, ...], **constants: object):
        super().__init__(
            value,
            folder=_HERE,
            name=name,
            stylesheet="style.css",
            scripts=(*scripts, f"{name}.js"),
            table=words.table("experiment"),
            constants=constants,
            render=render,
        )


class WeatherControls(_Part):
    """Which weather, how strong, and where on the photo."""

    def __init__(self, value: dict | None = None, *, render: bool = True):
        places = {name: draw_place(name, _FIRST_SEED) for name in WEATHER}
        super().__init__(value, render, "weather", ("controls.js",), PLACES=places)


class AdaptationControls(_Part):
    """Which layer, which parameters and how much of them, and which map *s*, painted if need be."""

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(value, render, "adaptation", ("controls.js", "painter.js"), PARAMETERS=PARAMETERS)


class ExperimentOutcome(_Part):
    """Answers before and after, what changed, and the figures; its value is what `draw_outcome` returns, or None.

    Args:
        rows, pictures: how many networks it will show, and pictures for each, for which it keeps room.
    """

    def __init__(self, value: dict | None = None, *, rows: int = 1, pictures: int = 3, render: bool = True):
        # Gradio reads the arguments back; what it does not find, it takes for an event of the script's.
        self.rows, self.pictures = rows, pictures
        super().__init__(value, render, "outcome", (), ROWS=rows, PICTURES=pictures)

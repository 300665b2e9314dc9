"""HTML by Jinja2: whatever is put into a template is escaped, unless it is `Markup`."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def load_templates(folder: Path) -> Callable[..., Markup]:
    """A function that fills in a template of a folder: `render("table.html", caption=..., rows=...)`.

    A value that a template asks for and is not given is an error.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def render(name: str, **values: object) -> Markup:
        return Markup(environment.get_template(name).render(values))

    return render

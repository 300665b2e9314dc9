"""Choose what the page opens on: of all examples, pairs and styles the largest honest difference between two networks.

    python -m habn first_view

Writes assets/first_view.json, the views that were measured, the largest difference first, and beside it preview.jpg,
which a shared link shows. A view counts if its second
network has HABN, was measured at least as good as the first on the test split (its card says so), and keeps at least as
much of the structure of this photo. Run it again when checkpoints, pairs or examples change.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from habn.commands import end_with_a_sentence
from habn.comparison import engine
from habn.comparison.compared import load_network
from habn.comparison.examples import EXAMPLES, PATHS
from habn.comparison.first_view import FirstView, effect, kept_of_photo
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, Pair, Request
from habn.data.styles import STYLES
from habn.errors import HabnError
from habn.shipped import shipped
from habn.ui import pictures
from habn.ui.link import Link

METRICS = {"segmentation": ("mean_iou", 1), "style": ("frechet", -1)}  # the main one on test, and which way is better
KEPT = 12  # views that the file lists
PREVIEW = (1200, 630)  # pixels, as sites that show previews ask for


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="habn first_view", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=shipped("assets") / "first_view.json", help="the file")
    args = parser.parse_args(arguments)
    end_with_a_sentence(lambda: choose(args.out))


def choose(out: Path) -> None:
    """Measure all views and write the best."""
    views = [view for name, pair in PAIRS.items() if is_better(pair) for view in measure_pair(name, pair)]
    honest = sorted((view for view in views if view.is_honest), key=lambda view: -view.effect)
    if not honest:
        raise HabnError("No pair of networks has HABN and is measured to be better with it; train one first.")
    rows = [{key: _rounded(value) for key, value in asdict(view).items()} for view in honest[:KEPT]]
    measured = {"command": "python -m habn first_view", "measured": len(views), "honest": len(honest), "views": rows}
    out.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    draw_preview(honest[0]).save(out.with_name("preview.jpg"), quality=85)
    print(json.dumps(rows[0]))


def draw_preview(view: FirstView) -> Image.Image:
    """What a shared link shows: the photo, and both pictures with their networks' names, 1200 x 630."""
    result = engine.run(Request(PATHS[view.example], view.pair, Painting(view.style), record=False))
    columns = [("", result.image), *((output.label, output.picture) for output in (result.first, result.second))]
    picture = Image.new("RGB", PREVIEW)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(44)
    width = PREVIEW[0] // len(columns)
    for place, (label, column) in enumerate(columns):
        picture.paste(ImageOps.fit(Image.fromarray(column), (width - 4, PREVIEW[1])), (place * width + 2, 0))
        if label:
            corner = (place * width + 24, 556)
            left, top, right, bottom = draw.textbbox(corner, label, font=font)
            draw.rounded_rectangle((left - 12, top - 10, right + 12, bottom + 12), 12, fill="black")
            draw.text(corner, label, font=font, fill="white")
    return picture


def is_better(pair: Pair) -> bool:
    """Whether the second network has HABN and its card is at least as good as the first one's on the test split."""
    first, second = (load_network(name) for name in (pair.first, pair.second))
    metric, sign = METRICS[pair.task]
    scores = [loaded.metadata.get("metrics", {}).get("test", {}).get(metric) for loaded in (first, second)]
    return second.norm.startswith("habn") and None not in scores and sign * (scores[1] - scores[0]) >= 0


def measure_pair(name: str, pair: Pair) -> list[FirstView]:
    """The pair on every example, and a style pair in every style."""
    views = []
    for path in EXAMPLES:
        for painting in map(Painting, STYLES) if pair.task == "style" else (None,):
            result = engine.run(Request(path, name, painting, record=False))
            outputs = (result.first, result.second)
            first, second = (pictures.draw_answer(result.image, output, Link.opacity) for output in outputs)
            views.append(
                FirstView(
                    example=path.stem,
                    pair=name,
                    style=painting.style if painting else "",
                    effect=effect(first, second),
                    kept=kept_of_photo(result),
                )
            )
    return views


def _rounded(value: object) -> object:
    if isinstance(value, tuple):
        return [round(part, 4) for part in value]
    return round(value, 4) if isinstance(value, float) else value

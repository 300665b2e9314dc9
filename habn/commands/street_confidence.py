"""Measure how sure each segmentation network of the page is on streets and on other photographs.

    python -m habn street_confidence --streets DIR --others DIR

Writes assets/street_confidence.json, by which the page says that a photo is no street. The threshold is the lowest that
tells most of both kinds apart. The streets must be new to the networks: those of CamVid were trained on val, where they
are 0.97 sure, and on test, which they have not seen, 0.92.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from habn.commands import end_with_a_sentence
from habn.comparison import engine
from habn.comparison.request import PAIRS, Request
from habn.comparison.streets import Sureness, best_threshold, mean_sureness
from habn.errors import HabnError
from habn.shipped import shipped


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="habn street_confidence", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--streets",
        type=Path,
        required=True,
        help="a folder of photos, new to the networks, such as CamVid's test/images",
    )
    parser.add_argument("--others", type=Path, required=True, help="a folder of photographs of anything else")
    parser.add_argument("--most", type=int, default=50, help="photos of each kind, evenly spread over the folder")
    parser.add_argument("--out", type=Path, default=shipped("assets") / "street_confidence.json", help="the file")
    args = parser.parse_args(arguments)
    end_with_a_sentence(lambda: measure(args))


def measure(args: argparse.Namespace) -> None:
    """Measure all networks and write the file."""
    kinds = {name: spread(getattr(args, name), args.most) for name in ("streets", "others")}
    found: dict[str, dict[str, dict[Path, float]]] = {}
    for pair_name, pair in PAIRS.items():
        if pair.task != "segmentation" or {pair.first, pair.second} <= found.keys():
            continue
        for kind, paths in kinds.items():
            for path in paths:
                result = engine.run(Request(path, pair_name, record=False))
                for output in (result.first, result.second):
                    assert output.confidence is not None, "a shipped network has probabilities at every pixel"
                    sure = mean_sureness(output.confidence)
                    found.setdefault(output.checkpoint, {}).setdefault(kind, {})[path] = sure
    networks = {name: asdict(summarize(kinds_of_one)) for name, kinds_of_one in sorted(found.items())}
    counts = {kind: len(paths) for kind, paths in kinds.items()}
    args.out.write_text(json.dumps({"photos": counts, "networks": networks}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(networks))


def spread(folder: Path, most: int) -> list[Path]:
    """At most so many files of a folder, evenly spread."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise HabnError(f"There is no photo in {folder}; name a folder that holds some.")
    return [paths[int(k)] for k in np.linspace(0, len(paths) - 1, min(most, len(paths)))]


def summarize(found: dict[str, dict[Path, float]]) -> Sureness:
    """Medians and threshold, rounded to four decimals."""
    streets, others = (np.array(list(found[kind].values())) for kind in ("streets", "others"))
    values = (float(np.median(streets)), float(np.median(others)), best_threshold(streets, others))
    return Sureness(**dict(zip(("streets", "others", "threshold"), (round(v, 4) for v in values), strict=True)))

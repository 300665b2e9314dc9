"""Print the tables of results/*.json as Markdown, or put them into the places that a file keeps for them.

python -m habn.results [--folder results] [--write README.md docs/measured.md]
"""

import argparse
import sys
from pathlib import Path

from habn.results.reading import FOLDER, load_results
from habn.results.strict_json import ResultError
from habn.results.tables import fill_places, tables_markdown


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m habn.results", description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the studies are; results/ by default")
    parser.add_argument("--write", type=Path, nargs="+", metavar="FILE", help="Markdown files with places for tables")
    args = parser.parse_args(arguments)
    try:
        studies = load_results(args.folder)
        if args.write is None:
            print(tables_markdown(studies) or f"There are no results in {args.folder} yet.")
        for file in args.write or ():
            file.write_text(fill_places(file.read_text(encoding="utf-8"), studies), encoding="utf-8")
    except (ResultError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

"""Print the tables of results/*.json as Markdown, or put them into the places that a file keeps for them.

python -m habn.results [--folder results] [--write README.md docs/measured.md]
"""

import argparse
from pathlib import Path

from habn.commands import end_with_a_sentence
from habn.results.reading import FOLDER, load_results
from habn.results.speed import NAME, speed_markdown
from habn.results.tables import fill_places, tables_markdown


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m habn.results", description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the studies are; results/ by default")
    parser.add_argument("--write", type=Path, nargs="+", metavar="FILE", help="Markdown files with places for tables")
    args = parser.parse_args(arguments)
    end_with_a_sentence(lambda: write_tables(args.folder, args.write))


def write_tables(folder: Path, files: list[Path] | None) -> None:
    studies, speed = load_results(folder), speed_markdown(folder)
    further = {} if speed is None else {NAME: speed}
    if files is None:
        print(tables_markdown(studies) or f"There are no results in {folder} yet.")
    for file in files or ():
        file.write_text(fill_places(file.read_text(encoding="utf-8"), studies, further), encoding="utf-8")


if __name__ == "__main__":
    main()

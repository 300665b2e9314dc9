"""What the export buttons do: each makes one file of what is shown, and offers it."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import gradio as gr
from gradio.utils import get_upload_folder

from habn.comparison import arrays, sheet
from habn.comparison.arrays import View
from habn.comparison.examples import example_of
from habn.errors import HabnError
from habn.ui import words
from habn.ui.export import downloads
from habn.ui.export.report import write_report
from habn.ui.export.sheet_words import build_sheet
from habn.ui.inspector.encoding import most_adapted_channel, most_adapted_layer
from habn.ui.link import Link, link_of
from habn.ui.refusals import explain, guarded
from habn.ui.shown import Shown, large_photo, note, recall

_PROGRESS = gr.Progress()  # Gradio puts a visitor's own into its place


@guarded
def on_sheet(shown: Shown | None, request: gr.Request) -> tuple:
    """The printed sheet, as PNG."""

    def save(view: View, link: Link, language: str, file: BinaryIO) -> None:
        sheet.draw_sheet(build_sheet(view, link, language)).savefig(file, format="png")

    return _offer(shown, request, "png", save)


@guarded
def on_arrays(shown: Shown | None, request: gr.Request) -> tuple:
    """The raw arrays, as NPZ."""
    return _offer(shown, request, "npz", lambda view, link, language, file: arrays.save_arrays(view, file))


@guarded
def on_report(shown: Shown | None, request: gr.Request) -> tuple:
    """The report, as one HTML file."""

    def save(view: View, link: Link, language: str, file: BinaryIO) -> None:
        file.write(write_report(view, link, language).encode())

    return _offer(shown, request, "html", save)


@guarded
def on_program(shown: Shown | None, request: gr.Request) -> tuple:
    """The program, as a file and to read."""

    def save(view: View, link: Link, language: str, file: BinaryIO) -> None:
        example = example_of(shown.photo) if shown else None
        file.write(arrays.write_program(view, example).encode())

    return _offer(shown, request, "py", save)


def make_picture_saver(which: str) -> Callable[..., tuple]:
    """The callback that saves one of `downloads.PICTURES`: paintings at the photo's own size."""

    @guarded
    def on_picture(shown: Shown | None, form: str, request: gr.Request, progress: gr.Progress = _PROGRESS) -> tuple:
        if form not in downloads.FORMATS:
            return gr.skip(), gr.skip()

        def save(view: View, link: Link, language: str, file: BinaryIO) -> None:
            both = downloads.draw_pictures(
                view.result, large_photo(shown.photo) if shown else "", link.opacity, progress
            )
            downloads.write_picture(both, which, form, file)

        return _offer(shown, request, form, save, what=which)

    return on_picture


def make_labels_saver(side: str) -> Callable[..., tuple]:
    """The callback that saves the classes of the first or the second network, as an indexed PNG."""

    @guarded
    def on_labels(shown: Shown | None, request: gr.Request) -> tuple:
        def save(view: View, link: Link, language: str, file: BinaryIO) -> None:
            labels = getattr(view.result, side).labels
            if labels is None:
                raise LabelsError(words.say("export.no_labels", language))
            downloads.write_labels(labels, file)

        return _offer(shown, request, "png", save, what=f"labels-{side}")

    return on_labels


@guarded
def on_areas(shown: Shown | None, request: gr.Request) -> tuple:
    """The areas of the classes, as CSV."""

    def save(view: View, link: Link, language: str, file: BinaryIO) -> None:
        if view.result.first.labels is None:
            raise LabelsError(words.say("export.no_labels", language))
        downloads.write_areas(view.result, file)

    return _offer(shown, request, "csv", save, what="areas")


class LabelsError(HabnError):
    """One sentence on a picture that has no classes."""


def view_of(shown: Shown | None, request: gr.Request) -> tuple[View, Link]:
    """What the visitor looks at, and the link to it: what the address leaves open is as the page shows it.

    Raises:
        gr.Error: nothing is shown yet.
        ImageError, RequestError, CheckpointError: the result is no longer held and cannot be made again.
    """
    if shown is None:
        raise gr.Error(words.say("export.nothing", words.language_of(request)), print_exception=False)
    result = recall(shown)
    records = result.second.records
    link = link_of(request).within(records)
    layer = link.layer_among(records)
    layer = most_adapted_layer(records) if layer is None else layer
    channel = most_adapted_channel(records[layer]) if link.channel is None else link.channel
    height, width = records[layer].context.shape
    return View(result, layer, channel, link.pixel or (height // 2, width // 2)), link


def _offer(
    shown: Shown | None, request: gr.Request, suffix: str, save: Callable[..., None], what: str | None = None
) -> tuple:
    """The Offer's value for the file that `save` writes, and the code block: the file's text, if it is a program.

    The file is named after the layer and channel, or after `what` it is.
    """
    language = words.language_of(request)
    try:
        view, link = view_of(shown, request)
    except HabnError as error:
        return note(explain(error, language)), gr.skip()
    what = what or f"{view.records[1].name}-{view.channel}"
    name = f"habn-{view.result.pair}-{what}.{suffix}"
    try:
        path = _publish(name, lambda file: save(view, link, language, file))
    except HabnError as error:
        return note(explain(error, language)), gr.skip()
    file = gr.FileData(path=str(path), orig_name=name).model_dump()
    text = words.say("export.save", language, name=name, size=words.size(path.stat().st_size, language))
    is_program = suffix == "py"
    code = gr.update(value=path.read_text(encoding="utf-8") if is_program else "", visible=is_program)
    return {"file": file, "name": name, "text": text}, code


def _publish(name: str, write: Callable[[BinaryIO], None]) -> Path:
    """Write a file into Gradio's cache, under an address that nobody knows before it is whole, and nobody can guess."""
    folder = Path(get_upload_folder()) / "exports" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    with (folder / name).open("wb") as file:
        write(file)
    return folder / name

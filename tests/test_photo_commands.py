"""The commands that make pictures from photos."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import habn
from habn.__main__ import main
from habn.commands.photos import find_photos
from habn.comparison.compared import answer_of, load_network
from habn.errors import HabnError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed, name in enumerate(("b.png", "a.PNG", ".hidden.png")):
        picture = np.random.default_rng(seed).integers(0, 256, (32, 48, 3), dtype=np.uint8)
        Image.fromarray(picture).save(photos / name, "PNG")
    (photos / "notes.txt").write_text("nothing")
    return photos


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def answers(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]


def test_photos_are_found_in_folders_and_by_patterns(folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"bytes")))
    found = find_photos([str(folder), str(folder / "*.png"), str(folder / "b.png"), "-"])
    assert [name for name, _ in found] == ["a", "b", "b-2", "b-3", "photo"] and found[-1][1] == b"bytes"
    for argument, sentence in (
        (folder / "c.png", "no file"),
        (folder / "*.gif", "No file matches"),
        (folder.parent, ""),
    ):
        if sentence:
            with pytest.raises(HabnError, match=sentence):
                find_photos([str(argument)])
    with pytest.raises(HabnError, match="holds no picture"):
        find_photos([str(folder.parent)])


def test_photos_are_segmented_into_every_format(folder, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    main(["segment", str(folder), "--out", str(out), "--format", "png", "indexed", "npz"])
    network = load_network("spvcnn-habn-plus-camvid")
    picture, labels = answer_of(network, read(folder / "a.PNG"))
    assert np.array_equal(read(out / "a.png"), picture) and np.array_equal(read(out / "a-classes.png"), labels)
    with np.load(out / "a.npz") as arrays:
        assert np.array_equal(arrays["labels"], labels) and tuple(arrays["classes"]) == network.classes
    assert [line["photo"] for line in answers(out)] == ["a", "b"]
    assert answers(out)[0]["areas"] == pytest.approx(
        {network.classes[k]: (labels == k).mean() for k in np.unique(labels)}, abs=1e-6
    )
    said = capsys.readouterr()
    assert said.out == f"2 of 2 photos are in {out}; answers.jsonl there has a line for each.\n"
    assert "Loading spvcnn-habn-plus-camvid" in said.err or "Naming" in said.err


def test_a_photo_that_cannot_be_used_does_not_stop_the_others(folder, tmp_path, capsys):
    (folder / "torn.jpg").write_bytes(b"nothing")
    with pytest.raises(SystemExit) as ended:
        main(["segment", str(folder), "--out", str(tmp_path / "out")])
    said = capsys.readouterr()
    assert ended.value.code == 1 and "2 of 3 photos" in said.out and "torn.jpg: The file is not an image" in said.err


def test_photos_are_painted_in_several_styles(folder, tmp_path):
    common = ["--style", "udnie", "great_wave", "--strength", "0.5", "--keep-colours", "--size", "24"]
    main(["paint", str(folder / "b.png"), "--out", str(tmp_path), *common])
    painting = habn.Painting("udnie", strength=0.5, keep_colours=True)
    network = load_network("cfanet-habn-plus-styles")
    from habn.images import open_image

    picture, _ = answer_of(network, open_image(folder / "b.png", 24), painting)
    assert picture.shape == (16, 24, 3) and np.array_equal(read(tmp_path / "b-udnie.png"), picture)
    assert not np.array_equal(read(tmp_path / "b-great_wave.png"), picture)
    assert [line["style"] for line in answers(tmp_path)] == ["udnie", "great_wave"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["segment", "--checkpoint", "cfanet-bn-styles"], "does not name classes"),
        (["paint", "--checkpoint", "spvcnn-bn-camvid"], "does not paint"),
        (["paint", "--strength", "2"], "must be a number from 0 to 1"),
        (["segment", "--size", "3"], "--size must be at least 16"),
        (["segment", "--device", "cuda"], "no device 'cuda'"),
    ],
)
def test_what_cannot_be_done_ends_in_one_sentence(folder, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.setenv("HABN_DEVICE", "cpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit, match=sentence):
        main([*arguments, str(folder), "--out", str(tmp_path / "out")])


def test_a_photo_is_inspected(folder, tmp_path, capsys):
    files = {name: tmp_path / f"x.{name}" for name in ("html", "png", "npz")}
    arguments = ["--pair", "styles-plus", "--layer", "blocks.0.norm1", "--channel", "3", "--pixel", "1", "2"]
    arguments += ["--report", str(files["html"]), "--sheet", str(files["png"]), "--arrays", str(files["npz"])]
    main(["inspect", str(folder / "b.png"), *arguments, "--save", str(tmp_path / "saved")])
    out = capsys.readouterr().out
    record = habn.run(folder / "b.png", "styles-plus", painting=habn.Painting()).second.records[3]
    assert f"= {record.y[3, 1, 2]:.4g}\n" in out and "blocks.0.norm1, channel 3, row 1, column 2" in out
    assert out.count("habn-plus") >= 9 and all(f"Written: {path}" in out for path in files.values())
    assert files["html"].read_text().startswith("<!doctype html>") or "<html" in files["html"].read_text()[:200]
    with np.load(files["npz"]) as arrays:
        np.testing.assert_array_equal(arrays["second_y"], record.y)
    assert (tmp_path / "saved" / "figures.json").is_file()


def test_a_layer_that_is_not_there_is_refused_with_the_names(folder, capsys):
    with pytest.raises(SystemExit, match="no layer named 'attic'; choose one of stem.norm"):
        main(["inspect", str(folder / "b.png"), "--layer", "attic"])

"""Images of every odd kind come out upright and right, or are refused in one sentence."""

import base64
import io
import re
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.WebPImagePlugin import WebPImageFile

from habn.images import ImageError, open_image, save_png
from habn.images.files import check_size

WIDTH, HEIGHT = 96, 64
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 40), (30, 40, 210), (230, 220, 40)
CORNERS = (RED, GREEN, BLUE, YELLOW)  # top left, top right, bottom left, bottom right


def picture(width=WIDTH, height=HEIGHT) -> Image.Image:
    """Four quarters of four colours."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, YELLOW
    return Image.fromarray(pixels)


def encode(image: Image.Image, file_format: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def corners(image: np.ndarray) -> np.ndarray:
    return np.stack([image[5, 5], image[5, -6], image[-6, 5], image[-6, -6]]).astype(int)


def assert_is_the_picture(image: np.ndarray, tolerance: int = 0) -> None:
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert np.abs(corners(image) - CORNERS).max() <= tolerance


def refusal(source, **options) -> str:
    """The sentence with which `source` is refused, checked to be exactly one."""
    with pytest.raises(ImageError) as caught:
        open_image(source, **options)
    sentence = str(caught.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence
    assert len(sentence) < 160
    return sentence


def png(width: int, height: int, bits: int, rows: bytes) -> bytes:
    """An RGB PNG put together by hand, so that its header can state what Pillow would not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def forged(width: int, height: int, file_format: str) -> bytes:
    """A small file whose header states another size."""
    if file_format == "PNG":
        return png(width, height, 8, bytes(4))
    data = bytearray(encode(picture(), file_format))
    if file_format == "JPEG":
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    elif file_format == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif file_format == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


# ---- what comes out


@pytest.mark.parametrize("kind", ["path", "string", "bytes", "pil", "array"])
def test_every_kind_of_source_gives_the_same_pixels(kind, tmp_path):
    path = tmp_path / "photo.png"
    picture().save(path)
    sources = {
        "path": path,
        "string": str(path),
        "bytes": path.read_bytes(),
        "pil": picture(),
        "array": np.asarray(picture()),
    }
    np.testing.assert_array_equal(open_image(sources[kind]), np.asarray(picture()))


@pytest.mark.parametrize(
    ("file_format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 0),
        ("AVIF", {"quality": 95}, 4),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("MPO", {"quality": 95, "save_all": True, "append_images": [Image.new("RGB", (WIDTH, HEIGHT))]}, 4),
    ],
)
def test_every_listed_format_is_read(file_format, options, tolerance):
    assert_is_the_picture(open_image(encode(picture(), file_format, **options)), tolerance)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "RGBA", "RGBX", "RGBa", "PA"])
def test_every_colour_mode_keeps_its_colours(mode):
    image = picture().quantize(4).convert("PA") if mode == "PA" else picture().convert(mode)
    assert_is_the_picture(open_image(image), tolerance=6)


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "TIFF", "BMP"])
def test_a_palette_is_applied_before_the_picture_shrinks(file_format):
    data = encode(picture().quantize(4), file_format)
    assert_is_the_picture(open_image(data))
    assert np.abs(corners(open_image(data, max_side=48)) - CORNERS).max() <= 2


def test_a_cmyk_jpeg_keeps_its_colours():
    assert_is_the_picture(open_image(encode(picture().convert("CMYK"), "JPEG", quality=95)), tolerance=6)


def test_a_one_bit_picture_is_black_and_white():
    pixels = np.zeros((32, 32), bool)
    pixels[:, 16:] = True
    image = open_image(encode(Image.fromarray(pixels), "PNG"))
    np.testing.assert_array_equal(image, np.repeat(pixels[..., None] * np.uint8(255), 3, axis=2))


def test_grey_becomes_three_equal_channels():
    grey = np.arange(32 * 32, dtype=np.uint32).reshape(32, 32).astype(np.uint8)
    for source in (grey, grey[..., None], Image.fromarray(grey)):
        np.testing.assert_array_equal(open_image(source), np.repeat(grey[..., None], 3, axis=2))


# ---- more than 8 bits


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("top", [300, 4095, 65535])
def test_grey_of_16_bits_is_stretched_over_its_range(file_format, top):
    ramp = np.tile(np.linspace(0, top, 256).round().astype(np.uint16), (32, 1))
    image = open_image(encode(Image.fromarray(ramp), file_format))
    np.testing.assert_allclose(image[0, :, 0], np.arange(256), atol=1)


def test_big_endian_and_32_bit_grey_and_float_are_stretched_alike():
    ramp = np.tile(np.arange(256), (32, 1))
    big_endian = Image.frombytes("I;16B", (256, 32), (ramp * 200 + 7).astype(">u2").tobytes())
    floats = Image.fromarray(ramp.astype(np.float32) / 255)
    for source in (big_endian, Image.fromarray((ramp * 100_000 - 5).astype(np.int32)), encode(floats, "TIFF")):
        np.testing.assert_allclose(open_image(source)[0, :, 0], np.arange(256), atol=1)


def test_flat_grey_of_16_bits_is_not_white():
    assert open_image(Image.fromarray(np.full((32, 32), 40_000, np.uint16))).max() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_float_tiff_with_a_value_that_is_no_number_is_refused(value):
    pixels = np.zeros((32, 32), np.float32)
    pixels[3, 4] = value
    assert "NaN" in refusal(encode(Image.fromarray(pixels), "TIFF"))


def test_float_values_of_the_largest_range_do_not_overflow():
    pixels = np.zeros((32, 32), np.float32)
    pixels[:, 16:] = 3e38
    image = open_image(Image.fromarray(pixels))
    assert image[0, 0, 0] == 0
    assert image[0, -1, 0] == 255


def test_colour_of_16_bits_keeps_its_colours():
    values = np.asarray(picture()).astype(np.uint16) * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)  # each row after its filter type, none
    np.testing.assert_array_equal(open_image(png(WIDTH, HEIGHT, 16, rows)), np.asarray(picture()))


# ---- transparency


def on_white(colour, alpha: int) -> np.ndarray:
    return np.round(np.asarray(colour) * alpha / 255 + 255 * (1 - alpha / 255))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_transparency_is_laid_on_white(file_format):
    image = picture().convert("RGBA")
    image.putalpha(128)
    options = {"lossless": True} if file_format == "WEBP" else {}
    opened = open_image(encode(image, file_format, **options))
    expected = np.stack([on_white(colour, 128) for colour in CORNERS])
    assert np.abs(corners(opened) - expected).max() <= (3 if file_format == "AVIF" else 1)


def test_grey_with_transparency_is_laid_on_white():
    image = Image.merge("LA", [Image.new("L", (32, 32), 100), Image.new("L", (32, 32), 64)])
    assert np.abs(open_image(encode(image, "PNG")).astype(int) - on_white(100, 64)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "left", "right"), [("P", 0, 1), ("RGB", (10, 10, 10), (0, 0, 0)), ("L", 10, 0), ("1", 0, 1)]
)
def test_a_single_transparent_colour_becomes_white(mode, left, right):
    image = Image.new(mode, (32, 32), right)
    image.paste(left, (0, 0, 16, 32))
    if mode == "P":
        image.putpalette([10, 10, 10, 200, 0, 0])
    opened = open_image(encode(image, "PNG", transparency=right))
    assert (opened[:, 16:] == 255).all()
    assert (opened[:, :16] <= 10).all()


def test_a_hidden_colour_does_not_bleed_when_a_picture_shrinks():
    pixels = np.zeros((256, 256, 4), np.uint8)
    pixels[:, :128] = (255, 255, 255, 255)
    pixels[:, 128:] = (255, 0, 0, 0)  # transparent, yet red underneath
    assert open_image(pixels, max_side=64).min() >= 254


# ---- orientation

# What a camera stores for each EXIF orientation, by NumPy alone: the inverse of what a viewer has to do.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_shown_upright(orientation, file_format):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(picture()))))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(stored, file_format, exif=exif, **({} if file_format == "TIFF" else {"quality": 95}))
    assert_is_the_picture(open_image(data), tolerance=12)
    assert_is_the_picture(open_image(Image.open(io.BytesIO(data))), tolerance=12)


def test_a_rotated_photo_is_upright_after_a_decoding_at_reduced_size():
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = picture(1536, 1024).rotate(90, expand=True)
    assert_is_the_picture(open_image(encode(stored, "JPEG", exif=exif, quality=95), max_side=WIDTH), tolerance=4)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"Exif\0\0no header", b"Exif\0\0MM"])
def test_a_photo_with_damaged_exif_data_is_still_shown(exif, file_format):
    assert_is_the_picture(open_image(encode(picture(), file_format, quality=95, exif=exif)), tolerance=12)


# ---- size


def test_the_size_does_not_depend_on_the_format():
    shapes = {
        open_image(encode(picture(1499, 1041), name), max_side=160).shape for name in ("JPEG", "PNG", "WEBP", "AVIF")
    }
    assert shapes == {(111, 160, 3)}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "AVIF"])
def test_the_longer_side_is_reduced_and_the_shape_kept(file_format):
    data = encode(picture(1500, 1000), file_format)
    assert open_image(data, max_side=600).shape == (400, 600, 3)
    assert np.abs(corners(open_image(data, max_side=96)) - CORNERS).max() <= 6
    assert open_image(encode(picture(1000, 1500), file_format)).shape == (640, 427, 3)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_picture_that_shrinks_in_strips_has_the_pixels_of_pillow(mode):
    noise = np.random.default_rng(3).integers(0, 256, (1003, 1501, 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert(mode)
    whole = image.convert("L" if mode == "L" else "RGB")
    expected = whole.resize((160, 107), Image.Resampling.LANCZOS, reducing_gap=2.0).convert("RGB")
    np.testing.assert_array_equal(open_image(image, max_side=160), np.asarray(expected))


def test_a_small_picture_is_never_enlarged():
    assert open_image(picture(20, 30), max_side=640).shape == (30, 20, 3)


def test_a_jpeg_is_decoded_at_reduced_size_and_looks_the_same(monkeypatch):
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (25, 40, 3), dtype=np.uint8))
    photo = photo.resize((1600, 1000), Image.Resampling.BICUBIC)
    data = encode(photo, "JPEG", quality=95)
    decoded_sizes = []
    load = ImageFile.ImageFile.load

    def note_size(image):
        decoded_sizes.append(image.size)
        return load(image)

    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", note_size)
        reduced = open_image(data, max_side=160)
    assert decoded_sizes[0] == (400, 250)
    whole = np.asarray(photo.resize((160, 100), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(reduced - whole).mean() < 2


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP"])
@pytest.mark.parametrize(("width", "height"), [(50_000, 900), (50_000, 50_000), (9_000, 9_900), (5_001, 5_000)])
def test_a_header_of_too_many_pixels_is_refused_without_a_warning(file_format, width, height):
    sentence = refusal(forged(width, height, file_format))
    assert f"{width:,} x {height:,}" in sentence
    assert "shrink it" in sentence


def test_no_pixel_is_decoded_before_the_size_is_known(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))
    refusal(forged(5_001, 5_000, "JPEG"))


def test_a_header_of_no_pixels_is_refused():
    assert "impossible size" in refusal(forged(0, 40, "PNG"))
    assert "0 x 40" in refusal(forged(0, 40, "GIF"))


@pytest.mark.parametrize(
    ("width", "height", "remedy"),
    [
        (15, 40, "at least 16 pixels"),
        (340, 16, "at most 20 times"),
        (16, 340, "at most 20 times"),
        (16_385, 1_000, "at most 16,384 pixels"),
        (0, 100, "at least 16 pixels"),
    ],
)
def test_sizes_outside_the_limits_are_refused_with_the_remedy(width, height, remedy):
    assert remedy in refusal(np.zeros((height, width, 3), np.uint8))
    if width:
        assert remedy in refusal(Image.new("L", (width, height)))


@pytest.mark.parametrize(("width", "height"), [(16, 16), (16, 320), (16_384, 820)])
def test_sizes_at_the_limits_are_opened(width, height):
    assert max(open_image(np.zeros((height, width), np.uint8)).shape) == min(640, max(width, height))


def test_a_side_of_no_pixels_cannot_be_asked_for():
    assert "cannot be 0 pixels" in refusal(picture(), max_side=0)


MEASURE = """
import os, resource, sys
from habn.images import open_image
for path in sys.argv[1:]:
    if not (child := os.fork()):
        before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
        image = open_image(path, max_side=480)
        peak = 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
        print((peak - before) >> 20, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the most memory that was taken is read from /proc")
def test_the_largest_picture_of_any_kind_takes_two_hundred_megabytes(tmp_path):
    """Of MiB; before, in this order: 291, 193, and the WebP, of 25 megapixels then, 482."""
    kinds = [
        ("PNG", "RGBA", (6250, 4000), {"compress_level": 1}),
        ("PNG", "I;16", (6250, 4000), {"compress_level": 1}),
        ("WEBP", "RGBA", (4330, 2880), {"lossless": True, "method": 0}),
    ]
    for number, (file_format, mode, size, options) in enumerate(kinds):
        Image.new(mode, size).save(tmp_path / f"{number}", file_format, **options)
    command = [sys.executable, "-c", MEASURE, *sorted(map(str, tmp_path.iterdir()))]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
    megabytes = [int(line) for line in done.stdout.split()]
    assert len(megabytes) == len(kinds) and max(megabytes[:-1]) < 140 and megabytes[-1] < 210


def progressive(scans: int) -> bytes:
    """A JPEG of so many scans: one of them over and over."""
    data = encode(Image.new("L", (64, 64), 100), "JPEG", progressive=True)
    starts = [i for i in range(len(data)) if data[i : i + 2] == b"\xff\xda"]
    again = data[starts[1] : starts[2]] * (scans - len(starts))
    return data[: starts[2]] + again + data[starts[2] :]


def test_a_jpeg_of_endless_scans_is_refused():
    assert open_image(progressive(24)).shape == (64, 64, 3)
    assert "more than 24 scans" in refusal(progressive(25))
    padded = re.sub(rb"\xff\xda", b"\xff\xff\xff\xda", progressive(25))
    assert "more than 24 scans" in refusal(padded)


def test_scans_are_not_counted_in_what_is_no_scan():
    data = encode(picture(), "JPEG", quality=95, exif=b"Exif\0\0" + b"\xff\xda" * 200)
    film = b"\xff\xda" * 1000  # what a phone appends to a photo that moves
    assert_is_the_picture(open_image(data + film), tolerance=4)


def tiff(entries: dict[int, int], counts: dict[int, int], data: bytes) -> bytes:
    """A TIFF of one directory of LONG values, or where a tag has a count, of that many at a place in the file."""
    directory = b"".join(struct.pack("<HHII", tag, 4, counts.get(tag, 1), value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + data


def endless(kind: str) -> bytes:
    """A small valid picture that takes its decoder a hundred thousand steps and more."""
    small = picture(32, 32)
    if kind.startswith("JPEG"):
        data = encode(small, "JPEG")
        piece, place = {
            "JPEG segments": (b"\xff\xe5\0\2", 2),
            "JPEG comments": (b"\xff\xfe\0\2", 2),
            "JPEG padding": (b"\xff", 2),
            "JPEG segments after a scan": (b"\xff\xe5\0\2", len(data) - 2),
        }[kind]
        return data[:place] + piece * 210_000 + data[place:]
    if kind.startswith("PNG"):
        data = encode(small, "PNG")
        name = {"PNG chunks": b"abCd", "PNG empty data": b"IDAT"}[kind]
        return data[:33] + (bytes(4) + name + struct.pack(">I", zlib.crc32(name))) * 110_000 + data[33:]
    if kind.startswith("GIF"):
        data = encode(small, "GIF")
        frame = data.index(b",\0\0\0\0")
        between = {"GIF comments": b"!\xfe" + b"\1a" * 210_000 + b"\0", "GIF junk": b"a" * 210_000}[kind]
        return data[:frame] + between + data[frame:]
    number, place = 210_000, 8 + 2 + 9 * 12 + 4
    entries = {256: 32, 257: 32, 258: 8, 259: 1, 262: 1, 277: 1, 273: place, 278: 1, 279: place}
    return tiff(entries, {273: number, 279: number}, struct.pack("<I", 8) * number)


@pytest.mark.parametrize(
    "kind",
    ["JPEG segments", "JPEG padding", "JPEG comments", "JPEG segments after a scan"]
    + ["PNG chunks", "PNG empty data", "GIF comments", "GIF junk", "TIFF strips"],
)
def test_a_file_of_endless_pieces_is_refused(kind):
    assert "more than 200,000 pieces" in refusal(endless(kind))


@pytest.mark.parametrize("file_format", ["WEBP", "AVIF"])
def test_formats_that_are_held_several_times_may_be_half_as_large(file_format):
    decoder = {"WEBP": WebPImageFile, "AVIF": AvifImageFile}[file_format]
    check_size(4032, 3024, decoder=decoder)
    with pytest.raises(ImageError, match="4,100 x 3,100 pixels; shrink it to at most 12 megapixels"):
        check_size(4100, 3100, decoder=decoder)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}], ids=["VP8", "VP8L", "VP8X"])
def test_a_webp_is_judged_before_its_decoder_reserves_the_picture(options, monkeypatch):
    data = bytearray(encode(picture(), "WEBP", **options))
    assert_is_the_picture(open_image(bytes(data)), tolerance=12)
    monkeypatch.setattr(WebPImageFile, "_open", lambda image: pytest.fail("opened"))
    if data[12:16] == b"VP8X":
        data[24:30] = (9_999).to_bytes(3, "little") * 2
    elif data[12:16] == b"VP8L":
        data[21:25] = (9_999 | 9_999 << 14).to_bytes(4, "little")
    else:
        data[26:30] = struct.pack("<HH", 10_000, 10_000)
    assert "10,000 x 10,000" in refusal(bytes(data))


def test_an_avif_whose_frames_are_larger_than_it_says_is_refused():
    """Its header says 64 x 64, its AV1 data 12,000 x 12,000, which took 296 MB."""
    assert "damaged" in refusal(zlib.decompress(base64.b85decode(LARGE_FRAME)))


LARGE_FRAME = (
    "c-muNU{FXasVqn=%S>Yc0uY^>nP!-qnV9D5Xy^nKdYzkElE?r7iWw<6MNl?FL1uCZ0~+8f$SlbPvlxL`E;A=T8N_h`@fjhajKT~IY-&KZMrLMS"
    "8eFXukdw*;<t3IG7&_<Y<b&<X$}A`<0Mg!>1<Cn9S|qc$AQft#0~8AsWL9K?1eiHEIDiySVws_HqdX5tNH{q^rzkHurvhj)F9TZxP)IzpAQ$E*"
    "pu<=gnVMOEuF}g*Nh}d!;Nq75o_BwD?II>AUJj!vJOVDq+uKr^I27hN0@cT!KNq-G^O4ShqX~-f25(lJDbPGSVWFnie@!;NmPJ-s%@;TxIIaHV"
    "7^8gms8!~|`r!Gm#kc2hUXxfdZ~4hpv1Z4^H4Tk-9hK=RIS}C+$NvAxqsk+@3+^pg$a<S~!O{ou=g&oyGkw0P-Qqsux}(M2YYR7OS+_3#xZ(c7"
    "*tA&&P5<Jav&Ozzo1pEs;rS8e#4pE%)T|QXKG@sYIMmHO^YMfX_r8ZO&W3FZGM9gNhUtJd+ZDDyvy`Oze0R^#K9(N6i}n`85pTgCD>ti~T75SE"
    "9qXTzyi0Y94(vBtzTZ53-P}vN5B!__M^eD-a>Li;4?GvYJ#XTy|Iy{K>9PON524X07>xo-qacp99@sn7&8Kbf7XScz?Nsg"
)


def test_an_avif_may_be_called_a_heif_picture():
    data = encode(picture(), "AVIF", quality=95)
    assert data[8:12] == b"avif" and b"mif1" in data[16:32]
    assert_is_the_picture(open_image(data[:8] + b"mif1" + data[12:]), tolerance=4)


def tiled_tiff(side: int) -> bytes:
    """A grey picture of 64 x 64 in one tile of `side` squared, of which no more than 64 x 64 bytes are there."""
    entries = {256: 64, 257: 64, 258: 8, 259: 1, 262: 1, 277: 1, 322: side, 323: side, 324: 8 + 2 + 12 * 10 + 4}
    return tiff({**entries, 325: 64 * 64}, {}, bytes(range(64)) * 64)


def test_a_tiff_with_too_large_a_tile_is_refused_unread():
    assert open_image(tiled_tiff(64)).shape == (64, 64, 3)
    assert "tiles of 16,000 x 16,000 pixels" in refusal(tiled_tiff(16_000))


# ---- what is not one image


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_is_shown(file_format):
    others = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("black", "white")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(picture(), file_format, save_all=True, append_images=others, **options)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert_is_the_picture(open_image(data), tolerance=20 if file_format == "AVIF" else 0)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello, world", "not an image"),
        (b"\0" * 5000, "not an image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"/>', "SVG"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg width="40"></svg>', "SVG"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>not found</body></html>", "web page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF file is damaged"),
        (b"\0\0\0\x20ftypisom\0\0\0\0", "video"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_name(data, word, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    assert word in refusal(data)
    assert word in refusal(path)


@pytest.mark.parametrize("file_format", ["ICO", "PPM", "TGA", "PCX", "SGI", "EPS", "PDF"])
def test_a_format_outside_the_list_is_refused(file_format):
    assert re.search("JPEG(,| or) PNG", refusal(encode(picture(), file_format)))


def test_a_lazy_pil_image_of_a_format_outside_the_list_is_not_decoded(monkeypatch):
    lazy = Image.open(io.BytesIO(encode(picture(), "EPS")))
    monkeypatch.setattr(type(lazy), "load", lambda image: pytest.fail("decoded"))
    assert "EPS" in refusal(lazy)


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(file_format, part, tmp_path):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8))
    data = encode(noise, file_format)
    path = tmp_path / "photo"
    path.write_bytes(data[: int(len(data) * part)])
    assert "damaged" in refusal(path)


def test_a_truncated_pil_image_is_refused():
    data = encode(picture(400, 300), "PNG")
    assert "cannot be decoded" in refusal(Image.open(io.BytesIO(data[: len(data) // 2])))


def test_a_colour_mode_without_a_conversion_is_refused():
    assert "colour mode La " in refusal(Image.new("La", (32, 32)))


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/a.png",
        "https://example.org/a.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AA",
        "FTP://x/y",
    ],
)
def test_a_web_address_is_refused(url):
    assert "Web addresses" in refusal(url)
    assert "Web addresses" in refusal(Path(url))


def test_a_missing_file_a_folder_and_an_impossible_name_are_refused(tmp_path):
    assert "'gone.png'" in refusal(tmp_path / "gone.png")
    assert str(tmp_path) not in refusal(tmp_path / "gone.png")
    assert "no file" in refusal(tmp_path)
    assert "no file" in refusal("nul\0byte")
    assert "no file" in refusal("")


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((32, 32, 3), np.float32), "float32"),
        (np.full((32, 32, 3), np.nan), "float64"),
        (np.zeros((32, 32), np.uint16), "uint16"),
        (np.zeros((32, 32), bool), "bool"),
        (np.zeros((3, 32, 32), np.uint8), "shape"),
        (np.zeros((1, 32, 32, 3), np.uint8), "shape"),
        (np.zeros(32, np.uint8), "shape"),
        (np.zeros((), np.uint8), "shape"),
    ],
)
def test_an_array_of_another_type_or_shape_is_refused(array, word):
    assert word in refusal(array)


@pytest.mark.parametrize("source", [None, 3, [1, 2], object(), io.BytesIO()])
def test_a_source_of_another_type_is_refused(source):
    assert "Expected an image" in refusal(source)


# ---- side effects


def test_the_source_is_left_as_it_was_and_not_shared():
    array = np.asarray(picture()).copy()
    opened = open_image(array)
    opened[:] = 0
    np.testing.assert_array_equal(array, np.asarray(picture()))
    exif = Image.Exif()
    exif[0x0112] = 6
    lazy = Image.open(io.BytesIO(encode(picture(640, 320), "JPEG", exif=exif)))
    assert open_image(lazy, max_side=64).shape == (64, 32, 3)
    assert lazy.size == (640, 320)
    assert lazy.getexif()[0x0112] == 6


def test_no_global_setting_of_pillow_or_python_changes():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    open_image(encode(picture(), "JPEG"))
    refusal(forged(50_000, 50_000, "PNG"))
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


SIGNATURES = [
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"RIFF\x99\0\0\0WEBPVP8 ",
    b"BM",
    b"II*\0",
    b"MM\0*",
]


def assert_opens_or_is_refused(data: bytes) -> None:
    try:
        image = open_image(data, max_side=64)
    except ImageError as error:
        assert str(error).endswith(".")
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert max(image.shape) <= 64


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=400))
def test_random_bytes_give_an_image_or_a_refusal(signature, data):
    assert_opens_or_is_refused(signature + data)


# ---- the way out


@pytest.mark.parametrize("kind", ["array", "pil"])
def test_a_saved_png_holds_the_same_pixels(kind, tmp_path):
    image = picture() if kind == "pil" else np.asarray(picture())
    path = save_png(image, tmp_path / "map.png")
    np.testing.assert_array_equal(open_image(path), np.asarray(picture()))
    assert [file.name for file in tmp_path.iterdir()] == ["map.png"]


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path):
    path = save_png(picture(), tmp_path / "map.png")
    before = path.read_bytes()
    with pytest.raises(OSError, match="CMYK"):
        save_png(picture().convert("CMYK"), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["map.png"]


def test_a_name_that_cannot_be_replaced_leaves_no_other_file(tmp_path):
    folder = tmp_path / "map.png"
    folder.mkdir()
    with pytest.raises(OSError, match=r"map\.png"):
        save_png(picture(), folder)
    assert [file.name for file in tmp_path.iterdir()] == ["map.png"]


def test_a_reader_never_sees_half_a_file_while_it_is_written_again(tmp_path):
    path = tmp_path / "map.png"
    image = np.random.default_rng(2).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    whole = save_png(image, path).read_bytes()
    writers = [threading.Thread(target=lambda: [save_png(image, path) for _ in range(20)]) for _ in range(3)]
    for writer in writers:
        writer.start()
    read = []
    while any(writer.is_alive() for writer in writers):
        read.append(path.read_bytes())
    for writer in writers:
        writer.join()
    assert len(read) > 5
    assert all(data == whole for data in read)

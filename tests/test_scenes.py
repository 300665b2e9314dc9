"""The drawn street scenes: exact, seeded, the same street at every size."""

from functools import cache

import numpy as np
import pytest

from habn.scenes import Label, Scene, draw_scene
from habn.scenes.canvas import Camera, Canvas
from habn.scenes.lens import build_light


@cache
def small(seed: int) -> Scene:
    return draw_scene(seed, 96, 128)


@cache
def medium(seed: int) -> Scene:
    return draw_scene(seed, 192, 256)


def test_a_scene_is_rgb_bytes_and_one_label_per_pixel():
    scene = draw_scene(0, 90, 120)
    assert scene.image.shape == (90, 120, 3) and scene.image.dtype == np.uint8
    assert scene.labels.shape == (90, 120) and scene.labels.dtype == np.uint8


def test_the_same_seed_draws_the_same_scene():
    again = draw_scene(3, 96, 128)
    np.testing.assert_array_equal(again.image, small(3).image)
    np.testing.assert_array_equal(again.labels, small(3).labels)


def test_another_seed_draws_another_scene():
    for seed in range(5):
        assert (small(seed).labels != small(seed + 1).labels).mean() > 0.05


def test_each_of_camvids_classes_is_common_enough_to_learn():
    held = np.array([np.bincount(small(seed).labels.ravel(), minlength=11) for seed in range(24)])
    assert held.shape[1] == len(Label) == 11
    often = (held > 0).mean(0)
    assert often.min() >= 1 / 3, f"{Label(int(often.argmin())).name} is in {often.min():.0%} of the scenes only"


def test_class_shares_are_those_of_a_street():
    held = np.sum([np.bincount(small(seed).labels.ravel(), minlength=11) for seed in range(24)], axis=0)
    share = held / held.sum()
    assert share[Label.ROAD] > 0.2 and share[Label.BUILDING] > 0.1 and share[Label.SKY] > 0.1
    assert share[[Label.POLE, Label.SIGN, Label.PEDESTRIAN, Label.BICYCLIST]].max() < 0.05


def test_the_sky_is_above_the_road():
    rows = np.arange(96)[:, None] + np.zeros((96, 128))
    for seed in range(20):
        labels = small(seed).labels
        assert rows[labels == Label.SKY].max(initial=0) <= rows[labels == Label.ROAD].min(initial=96)
        assert (labels[-1] != Label.SKY).all()


def test_half_the_size_is_the_same_street():
    """Pixel i of the half lies between pixels 2 i and 2 i + 1 of the whole, so away from edges it agrees with both."""
    for seed in range(6):
        whole, half = medium(seed).labels, small(seed).labels
        blocks = whole.reshape(96, 2, 128, 2)
        uniform = (blocks == blocks[:, :1, :, :1]).all((1, 3))
        assert uniform.mean() > 0.8
        assert (half == blocks[:, 0, :, 0])[uniform].mean() > 0.99
        assert (half == whole[1::2, 1::2]).mean() > 0.95


def steps(image: np.ndarray, axis: int) -> np.ndarray:
    return np.abs(np.diff(image.astype(float), axis=axis)).sum(-1)[4:-4, 4:-4]


def borders(labels: np.ndarray, axis: int, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    return np.diff(np.roll(labels.astype(int), shift, (0, 1)), axis=axis)[4:-4, 4:-4] != 0


def test_the_picture_changes_where_the_labels_change():
    """Across a border of the labels the colour steps much more than elsewhere."""
    at, elsewhere = [], []
    for seed in range(6):
        scene = medium(seed)
        step, border = steps(scene.image, 1), borders(scene.labels, 1)
        at.append(step[border].mean())
        elsewhere.append(step[~border].mean())
    assert np.mean(at) > 2 * np.mean(elsewhere)


def test_labels_lie_on_the_picture_to_a_quarter_of_a_pixel():
    """The borders of the labels meet most colour steps where they are, and equally fewer one pixel to either side."""

    def explained(shift: tuple[int, int]) -> float:
        scenes = map(medium, range(6))
        return sum(steps(s.image, axis)[borders(s.labels, axis, shift)].sum() for s in scenes for axis in (0, 1))

    here, left, right, up, down = map(explained, [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)])
    assert here > 1.3 * max(left, right, up, down)
    assert left == pytest.approx(right, rel=0.05) and up == pytest.approx(down, rel=0.05)


SQUARE = np.array([(-1.0, 2.0, 9.0), (1.0, 2.0, 9.0), (1.0, 0.5, 9.0), (-1.0, 0.5, 9.0)])
STRIP = np.array([(-1.0, 0.0, -5.0), (1.0, 0.0, -5.0), (1.0, 0.0, 20.0), (-1.0, 0.0, 20.0)])
HOLED = np.where(np.hypot(*np.mgrid[-10:10, -10:10]) > 4, 255, 0).astype(np.uint8)
PAINTERS = {
    "polygon": lambda canvas: canvas.polygon(canvas.outline(SQUARE), np.ones(3), Label.CAR),
    "face": lambda canvas: canvas.face(SQUARE, np.ones(3), (0, 0, -1), Label.CAR),
    "face cut by the lens": lambda canvas: canvas.face(STRIP, np.ones(3), (0, 1, 0), Label.CAR),
    "faces": lambda canvas: canvas.faces(np.stack([SQUARE, SQUARE + 1]), np.ones((2, 3)), (0, 0, -1), Label.CAR),
    "line": lambda canvas: canvas.line(SQUARE, 0.2, np.ones(3), Label.CAR),
    "veil": lambda canvas: canvas.veil(SQUARE, np.ones(3), 0.5, Label.CAR),
    "picture": lambda canvas: canvas.picture(
        np.dstack([np.full((20, 20, 3), 200, np.uint8), HOLED]), SQUARE, Label.CAR
    ),
}


@pytest.mark.parametrize("painter", PAINTERS)
def test_what_is_painted_covers_the_same_pixels_of_picture_and_labels(painter: str):
    camera = Camera(focal=1.0, horizon=0.5, x=0.0, height=1.4, yaw=0.03, bend=0.0)
    canvas = Canvas(camera, build_light(np.random.default_rng(0)), 60, 80)
    PAINTERS[painter](canvas)
    painted = np.asarray(canvas.image).any(-1)
    assert painted.any() and not painted.all()
    np.testing.assert_array_equal(np.asarray(canvas.labels), np.where(painted, Label.CAR, 0))


@pytest.mark.parametrize(("height", "width"), [(31, 480), (360, 31), (0, 0)])
def test_too_small_a_scene_is_refused_in_one_sentence(height: int, width: int):
    with pytest.raises(ValueError, match=rf"at least 32 x 32 pixels, not {height} x {width}: ask for a larger one\.$"):
        draw_scene(0, height, width)


def test_the_smallest_and_odd_sizes_are_drawn():
    for height, width in ((32, 32), (33, 61), (64, 33)):
        assert draw_scene(5, height, width).labels.shape == (height, width)

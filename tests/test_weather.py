"""The weather: graded, spatial, seeded, the same at every size, and differentiable."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from habn.data.weather import STRENGTHS, WEATHER, apply_weather, draw_place, random_weather
from habn.scenes import draw_scene

KINDS = ("shadow_edge", "haze", "low_sun", "darkness", "vignette", "contrast_loss", "wet_glare", "blur_noise")
each_kind = pytest.mark.parametrize("name", KINDS)


@cache
def street(seed: int = 5, height: int = 96, width: int = 128) -> Tensor:
    """One drawn street scene as pixels (1, 3, H, W)."""
    return torch.from_numpy(draw_scene(seed, height, width).image).permute(2, 0, 1)[None] / 255


def stripes() -> Tensor:
    """Fine grey stripes (1, 3, 96, 128), with nothing in them that could pass for a place."""
    pixels = torch.full((1, 3, 96, 128), 0.3)
    pixels[..., ::2] = 0.6
    return pixels


def change(pixels: Tensor, name: str, strength: float = 5, **options) -> Tensor:
    """How much each pixel changes, (H, W)."""
    return (apply_weather(pixels, name, strength, **options) - pixels).abs().mean((0, 1))


def test_there_are_eight_kinds_each_under_its_own_name():
    assert tuple(WEATHER) == KINDS
    assert all(weather.name == name for name, weather in WEATHER.items())


@each_kind
def test_strength_zero_is_the_identity_exactly_and_a_copy(name):
    pixels = street()
    same = apply_weather(pixels, name, 0)
    assert torch.equal(same, pixels) and same.data_ptr() != pixels.data_ptr()


@each_kind
def test_the_weather_comes_in_gently_from_strength_zero(name):
    assert change(street(), name, 1e-3).max() < 5e-3


@each_kind
@pytest.mark.parametrize("strength", STRENGTHS)
def test_the_result_is_a_picture(name, strength):
    for pixels in (street(), torch.zeros(1, 3, 24, 32), torch.ones(1, 3, 24, 32), torch.rand(1, 3, 1, 1)):
        result = apply_weather(pixels, name, strength)
        assert result.shape == pixels.shape and result.dtype == pixels.dtype
        assert result.isfinite().all() and result.min() >= 0 and result.max() <= 1


@each_kind
@pytest.mark.parametrize("seed", range(2))
def test_every_strength_changes_more_than_the_one_before(name, seed):
    distances = [change(street(seed), name, strength, seed=seed).mean() for strength in (0, *STRENGTHS)]
    assert all(later > 1.1 * earlier for earlier, later in zip(distances, distances[1:], strict=False)), distances


@each_kind
def test_strength_five_is_strong_and_leaves_the_street_readable(name):
    pixels = street(5, 180, 240)
    blocks = F.avg_pool2d(change(pixels, name)[None], 20)
    assert blocks.max() > 0.04
    before, after = (F.avg_pool2d(picture, 4).mean(1).flatten() for picture in (pixels, apply_weather(pixels, name, 5)))
    ranks = torch.stack([before.argsort().argsort(), after.argsort().argsort()]).double()
    assert ranks.corrcoef()[0, 1] > 0.3, "light and dark have lost their order"


@each_kind
def test_the_change_differs_across_the_picture(name):
    blocks = F.avg_pool2d(change(stripes(), name)[None], 16)
    assert blocks.max() > 1.5 * blocks.min() + 0.03


@each_kind
def test_the_same_seed_at_another_size_is_the_same_weather(name):
    large = street(5, 360, 480)
    small = F.avg_pool2d(large, 2)
    expected = F.avg_pool2d(apply_weather(large, name, 4, seed=3), 2) - small
    change = apply_weather(small, name, 4, seed=3) - small
    assert torch.stack([change.flatten(), expected.flatten()]).corrcoef()[0, 1] > 0.98
    assert 0.9 < change.std() / expected.std() < 1.1


@each_kind
def test_the_same_seed_is_the_same_weather_and_another_is_another(name):
    pixels = street()
    first = apply_weather(pixels, name, 4, seed=1)
    torch.rand(7)
    assert torch.equal(apply_weather(pixels, name, 4, seed=1), first)
    assert (apply_weather(pixels, name, 4, seed=2) - first).abs().mean() > 1e-3


@pytest.mark.parametrize("name", ["shadow_edge", "darkness", "contrast_loss", "wet_glare", "blur_noise"])
def test_another_seed_is_another_weather_in_the_same_place_too(name):
    first, second = (apply_weather(street(), name, 4, seed, place=(0.5, 0.5)) for seed in (1, 2))
    assert (first - second).abs().mean() > 1e-3


@each_kind
def test_a_batch_gives_what_its_pictures_give_alone(name):
    pixels = torch.cat([street(1), street(2), street(3)])
    seeds = torch.tensor([4, 9, 4])
    alone = [apply_weather(picture, name, 3, int(seed)) for picture, seed in zip(pixels.split(1), seeds, strict=True)]
    torch.testing.assert_close(apply_weather(pixels, name, 3, seeds), torch.cat(alone))
    torch.testing.assert_close(apply_weather(pixels, name, 3, seed=4)[[0, 2]], torch.cat(alone)[[0, 2]])


@each_kind
def test_the_place_moves_the_change(name):
    here, right, below = (change(stripes(), name, place=place) for place in ((0.2, 0.5), (0.8, 0.5), (0.2, 0.9)))
    assert (right - here).abs().mean() > 0.1 * here.mean()
    assert (below - here).abs().mean() > 0.1 * here.mean()


@each_kind
def test_the_change_moves_as_far_as_its_place(name):
    here, there = (change(stripes(), name, place=place)[None] for place in ((0.375, 0.5), (0.625, 0.5)))
    if name == "blur_noise":  # the grain belongs to the sensor and stays
        here, there = (F.avg_pool2d(each, 9, 1, 4) for each in (here, there))
    tolerance = {"blur_noise": 0.03, "contrast_loss": 0.02}.get(name, 1e-4)  # the halo feels the border
    torch.testing.assert_close(here[..., 32:64], there[..., 64:96], atol=tolerance, rtol=0)


@each_kind
def test_without_a_place_the_seed_places_it(name):
    pixels = street()
    places = [draw_place(name, seed) for seed in range(20)]
    left, top, right, bottom = WEATHER[name].home
    assert all(left <= x <= right and top <= y <= bottom for x, y in places) and len(set(places)) == 20
    explicit = apply_weather(pixels, name, 3, seed=7, place=places[7])
    assert torch.equal(apply_weather(pixels, name, 3, seed=7), explicit)


@pytest.mark.parametrize("name", ["low_sun", "darkness", "vignette"])
def test_it_is_lightest_at_sun_lamp_and_optical_centre(name):
    light = apply_weather(torch.full((1, 3, 90, 120), 0.3), name, 5, place=(0.75, 0.25)).mean((0, 1))
    row, column = divmod(int(light.argmax()), 120)
    assert abs(row / 90 - 0.25) < 0.1 and abs(column / 120 - 0.75) < 0.1


def test_haze_follows_koschmieders_law():
    """Two pictures a, b under the same haze have L'_a - L'_b = t (L_a - L_b), with one t <= 1 for all of them."""
    grey = [torch.full((1, 3, 60, 80), value, dtype=torch.float64) for value in (0.1, 0.5, 0.9)]
    linear = [((v + 0.01) ** 2.2) for v in grey]
    hazy = [((apply_weather(v, "haze", 4) + 0.01) ** 2.2) for v in grey]
    clear = (hazy[2] - hazy[0]) / (linear[2] - linear[0])
    torch.testing.assert_close((hazy[1] - hazy[0]) / (linear[1] - linear[0]), clear)
    assert clear.max() < 1 and clear[0, 0, 0].max() < clear[0, 0, -1].min(), "haze is thicker above than at our feet"


def test_a_wet_road_leaves_what_is_above_it_alone():
    above = change(street(), "wet_glare", place=(0.5, 0.6))
    assert above[:50].max() < 1e-3 < above[60:].mean()


def test_blur_smooths_and_noise_roughens_around_the_place_only():
    edges = torch.zeros(1, 3, 90, 120)
    edges[..., ::2] = 1
    result = apply_weather(edges, "blur_noise", 5, place=(0.0, 0.5))
    contrast = (result[..., 1:] - result[..., :-1]).abs().mean((0, 1))
    assert contrast[40:50, :10].mean() < 0.5 and contrast[40:50, -10:].mean() > 0.95
    flat = apply_weather(torch.full((1, 3, 90, 120), 0.5), "blur_noise", 5, place=(0.0, 0.5))
    assert flat[..., 40:50, :10].std() > 0.01 > 1e-3 > flat[..., 40:50, -10:].std()


@each_kind
def test_gradients_flow_to_every_picture_and_are_finite(name):
    pixels = torch.cat([street(1), torch.zeros(1, 3, 96, 128), torch.ones(1, 3, 96, 128)]).requires_grad_()
    (gradient,) = torch.autograd.grad(apply_weather(pixels, name, 5).sum(), pixels)
    assert gradient.isfinite().all() and (gradient[0] != 0).double().mean() > 0.5


@each_kind
def test_gradients_are_those_of_finite_differences(name):
    pixels = (0.2 + 0.5 * torch.rand(1, 3, 3, 4, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: apply_weather(v, name, 2, place=(0.9, 0.4)), pixels)


@each_kind
def test_the_given_pixels_are_never_changed(name):
    pixels = street().clone()
    apply_weather(pixels, name, 5)
    assert torch.equal(pixels, street())


@each_kind
def test_double_precision_gives_the_same_weather(name):
    double = apply_weather(street().double(), name, 4, seed=2)
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), apply_weather(street(), name, 4, seed=2), atol=1e-4, rtol=0)


@each_kind
@pytest.mark.parametrize("device", ["meta", "cuda"])
def test_it_runs_where_the_pixels_are(name, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    result = apply_weather(street().to(device), name, 4, seed=2)
    assert result.device.type == device and result.shape == street().shape
    if device == "cuda":
        torch.testing.assert_close(result.cpu(), apply_weather(street(), name, 4, seed=2), atol=1e-4, rtol=0)


def test_random_weather_is_a_function_of_its_generator_alone():
    pixels = street().expand(6, -1, -1, -1)
    first = random_weather(pixels, torch.Generator().manual_seed(3))
    torch.rand(5)
    assert torch.equal(random_weather(pixels, torch.Generator().manual_seed(3)), first)
    assert not torch.equal(random_weather(pixels, torch.Generator().manual_seed(4)), first)


def test_random_weather_leaves_half_of_the_pictures():
    pixels = street(5, 32, 48).expand(100, -1, -1, -1)
    result = random_weather(pixels, torch.Generator().manual_seed(0))
    assert result.shape == pixels.shape and result.min() >= 0 and result.max() <= 1
    same = (result == pixels).flatten(1).all(1)
    assert 40 <= same.sum() <= 60
    assert len(result[~same].flatten(1).unique(dim=0)) == (~same).sum()


def test_random_weather_draws_every_kind_and_strength(monkeypatch):
    drawn = []
    monkeypatch.setattr("habn.data.weather.apply_weather", lambda pixels, *drawing: drawn.append(drawing) or pixels)
    random_weather(torch.rand(400, 3, 2, 2), torch.Generator().manual_seed(0))
    assert len({seed for *_, seed in drawn}) == 400
    changed = [(name, strength) for name, strength, _ in drawn if strength > 0]
    assert {name for name, _ in changed} == set(KINDS)
    assert 3.8 < max(strength for _, strength in changed) <= 4 and min(strength for _, strength in changed) < 0.2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "hail"}, "no weather 'hail'; choose one of shadow_edge, haze"),
        ({"strength": 5.5}, "between 0 and 5, not 5.5"),
        ({"strength": -1}, "between 0 and 5, not -1"),
        ({"strength": float("nan")}, "between 0 and 5, not nan"),
        ({"pixels": torch.rand(3, 8, 8)}, r"\(N, 3, H, W\), not \(3, 8, 8\)"),
        ({"pixels": torch.rand(1, 4, 8, 8)}, r"\(N, 3, H, W\), not \(1, 4, 8, 8\)"),
        ({"pixels": torch.rand(1, 3, 0, 8)}, r"\(N, 3, H, W\), not \(1, 3, 0, 8\)"),
        ({"pixels": torch.zeros(1, 3, 8, 8, dtype=torch.uint8)}, "not torch.uint8"),
        ({"seed": 1.5}, "seed of a weather is an integer"),
        ({"seed": torch.tensor([1, 2, 3])}, "a tensor of 2"),
        ({"seed": torch.tensor([1.0, 2.0])}, "a tensor of 2"),
        ({"place": (0.5, 1.2)}, r"in \[0, 1\] of width and height, not \(0.5, 1.2\)"),
        ({"place": (0.5,)}, r"in \[0, 1\] of width and height, not \(0.5,\)"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(wrong, says):
    arguments = {"pixels": torch.rand(2, 3, 8, 8), "name": "haze", "strength": 3} | wrong
    with pytest.raises(ValueError, match=says) as refusal:
        apply_weather(**arguments)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def test_a_place_of_an_unknown_weather_is_refused():
    with pytest.raises(ValueError, match="no weather 'hail'"):
        draw_place("hail", 0)

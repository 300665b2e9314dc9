"""Style transfer: CFA-Net, the perceptual features, data and training task, on drawn pictures and random weights."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from habn.data.pictures import DataError
from habn.data.styles import PHOTO_ROW, STYLES, draw_crops, load_painting, load_photos
from habn.networks import build_network
from habn.training.features import FeatureError, SqueezeNetFeatures, load_features
from habn.training.style import (
    StyleRecipe,
    StyleTask,
    build_style_task,
    gram_matrix,
    relative_distance,
    total_variation,
)

TINY = {"num_styles": PHOTO_ROW + 1, "channels": (8, 8, 8), "num_blocks": 1}


@pytest.fixture(scope="module")
def data(style_data):
    return style_data


@pytest.fixture(scope="module")
def weights(data):
    """SqueezeNet's tensors with random values, under the public key names."""
    return load_file(data / "squeezenet.safetensors")


@pytest.fixture(scope="module")
def task(data):
    recipe = StyleRecipe(batch_size=8, crop_size=32, painting_side=48, val_photos=2, val_size=40)
    return StyleTask(
        load_photos(data, "train"),
        load_photos(data, "val", 2),
        [load_painting(data, name, 48) for name in STYLES],
        SqueezeNetFeatures(),
        recipe,
    )


def weigh(figures, recipe):
    weights = {"content": recipe.content_weight, "style": 1, "variation": recipe.variation_weight}
    return sum(weight * figures[key] for key, weight in {**weights, "photo": recipe.photo_weight}.items())


def build_tiny(norm="bn", seed=0):
    torch.manual_seed(seed)
    return build_network("cfanet", norm, **TINY)


def test_a_gram_matrix_equals_the_sum_of_outer_products_of_numpy():
    x = torch.randn(2, 5, 3, 4)
    expected = np.zeros((2, 5, 5))
    for n, row, column in np.ndindex(2, 3, 4):
        f = x[n, :, row, column].numpy().astype(float)
        expected[n] += np.outer(f, f) / (5 * 3 * 4)
    np.testing.assert_allclose(gram_matrix(x), expected, rtol=1e-4, atol=1e-6)


def test_a_gram_matrix_does_not_depend_on_where_things_are():
    x = torch.randn(1, 6, 5, 5)
    shuffled = x.flatten(2)[..., torch.randperm(25)].view_as(x)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(x))


def test_a_relative_distance_is_from_zero_to_one_at_any_scale():
    target = torch.rand(3, 8) * torch.tensor([[1e-3], [1.0], [1e3]])
    assert relative_distance(target, target) == 0
    torch.testing.assert_close(relative_distance(torch.zeros(3, 8), target), torch.tensor(1.0))
    left, right = target.clone(), target.clone()
    left[:, 4:], right[:, :4] = 0, 0
    torch.testing.assert_close(relative_distance(left, right), torch.tensor(1.0))


def test_a_relative_distance_costs_too_strong_and_too_weak_alike():
    target = torch.rand(2, 8)
    torch.testing.assert_close(relative_distance(2 * target, target), torch.tensor(0.2))
    torch.testing.assert_close(relative_distance(target / 2, target), torch.tensor(0.2))


def test_total_variation_counts_a_step_once():
    flat = torch.full((1, 3, 4, 4), 0.3)
    step = flat.clone()
    step[..., 2:] += 0.5
    assert total_variation(flat) == 0
    torch.testing.assert_close(total_variation(step), torch.tensor(0.5 / 3))


def test_features_have_the_shapes_of_squeezenet_at_every_layer():
    maps = SqueezeNetFeatures()(torch.rand(2, 3, 66, 50))
    assert {layer: tuple(x.shape) for layer, x in maps.items()} == {
        1: (2, 64, 32, 24),
        3: (2, 128, 16, 12),
        4: (2, 128, 16, 12),
        6: (2, 256, 8, 6),
        7: (2, 256, 8, 6),
    }


def test_features_stop_at_the_layer_that_was_asked_for():
    assert list(SqueezeNetFeatures()(torch.rand(1, 3, 32, 32), last=3)) == [1, 3]


def test_features_have_the_public_key_names_and_are_frozen():
    features = SqueezeNetFeatures()
    fires = [f"{i}.{part}" for i in (3, 4, 6, 7) for part in ("squeeze", "expand1x1", "expand3x3")]
    expected = {f"features.{part}.{kind}" for part in ("0", *fires) for kind in ("weight", "bias")}
    assert set(features.state_dict()) == expected
    assert not any(parameter.requires_grad for parameter in features.parameters())


def test_weights_come_from_the_file_and_later_layers_are_passed_over(tmp_path, weights):
    path = tmp_path / "squeezenet.safetensors"
    save_file({**weights, "features.9.squeeze.bias": torch.zeros(48)}, path)
    with pytest.warns(UserWarning, match="SHA-256"):
        features = load_features(path)
    torch.testing.assert_close(features.features[6].expand3x3.weight, weights["features.6.expand3x3.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("features.3.squeeze.weight"), "has no tensor features.3.squeeze.weight"),
        (lambda state: state.update({"features.0.bias": torch.zeros(96)}), r"of shape \(64,\)"),
        (lambda state: state.update({"features.0.bias": torch.full((64,), torch.nan)}), "finite"),
        (lambda state: state.update({"features.0.bias": torch.full((64,), 1e30)}), "at most 1e"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_sentence(tmp_path, weights, change, message):
    state = dict(weights)
    change(state)
    save_file(state, tmp_path / "bad.safetensors")
    with pytest.raises(FeatureError, match=message) as caught:
        load_features(tmp_path / "bad.safetensors")
    assert "\n" not in str(caught.value)


def test_missing_or_damaged_weights_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(FeatureError, match="does not exist"):
        load_features(tmp_path / "none.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(FeatureError, match="not a safetensors file"):
        load_features(tmp_path / "torn.safetensors")
    (tmp_path / "torn.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n")
    with pytest.raises(FeatureError, match="git lfs pull"):
        load_features(tmp_path / "torn.safetensors")


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (41, 16), (50, 23)])
@pytest.mark.parametrize("norm", ["bn", "habn", "habn-plus", "in", "adain"])
def test_cfanet_keeps_any_size_and_stays_in_range(norm, size):
    network = build_tiny(norm).eval()
    with torch.no_grad():
        out = network(torch.rand(2, 3, *size), torch.eye(PHOTO_ROW + 1)[:2])
    assert out.shape == (2, 3, *size)
    assert out.isfinite().all() and out.min() >= 0 and out.max() <= 1


def test_a_one_hot_blend_is_the_style_itself():
    network = build_tiny().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    pixels, style = torch.rand(1, 3, 24, 24), torch.eye(PHOTO_ROW + 1)
    with torch.no_grad():
        one = network(pixels, style[2:3])
        two = network(pixels, style[5:6])
        blend = network(pixels, 1.0 * style[2:3] + 0.0 * style[5:6])
        half = network(pixels, 0.5 * style[2:3] + 0.5 * style[5:6])
    torch.testing.assert_close(blend, one)
    assert (one - two).abs().max() > 0.01
    assert (half - one).abs().max() > 0.01 and (half - two).abs().max() > 0.01


def test_cfanet_starts_from_the_light_and_shade_of_the_photograph():
    network = build_tiny().eval()
    torch.nn.init.zeros_(network.to_pixels.weight)
    torch.nn.init.zeros_(network.to_pixels.bias)
    photo = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])  # luma 0, 0.5, 0.587, 1
    with torch.no_grad():
        out = network(
            photo.T.reshape(1, 3, 2, 2).repeat_interleave(8, 2).repeat_interleave(8, 3), torch.eye(PHOTO_ROW + 1)[:1]
        )
    expected = torch.sigmoid(4 * torch.tensor([0.0, 0.5, 0.587, 1.0]) - 2)
    torch.testing.assert_close(out[0, :, ::8, ::8].flatten(1), expected.expand(3, 4))


def test_a_style_changes_nothing_of_its_neighbours_in_the_batch():
    network = build_tiny().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    pixels = torch.rand(2, 3, 24, 24)
    with torch.no_grad():
        together = network(pixels, torch.eye(PHOTO_ROW + 1)[[1, 6]])
        alone = network(pixels[1:], torch.eye(PHOTO_ROW + 1)[6:7])
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-4)


def test_cfanet_stays_within_its_budget():
    network = build_network("cfanet", "bn", num_styles=PHOTO_ROW + 1)
    macs = 0

    def count(module, inputs, output):
        nonlocal macs
        macs += output[0, 0].numel() * module.weight.numel()

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.rand(1, 3, 360, 480), torch.eye(PHOTO_ROW + 1)[:1])
    assert 1e9 < macs < 2.5e9
    assert sum(parameter.numel() for parameter in network.parameters()) < 500_000


def test_a_crop_of_zoom_one_is_cut_from_the_photograph_unchanged():
    photo = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    crop = draw_crops([photo], 1, 8, (1.0, 1.0), torch.Generator().manual_seed(3))[0]
    windows = photo.unfold(1, 8, 1).unfold(2, 8, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 8, 8) / 255
    distance = torch.minimum((windows - crop).abs().amax((1, 2, 3)), (windows - crop.flip(-1)).abs().amax((1, 2, 3)))
    assert distance.min() < 1e-5


def test_a_painting_is_resized_to_its_shorter_side(data):
    painting = load_painting(data, STYLES[0], 25)
    assert painting.shape == (1, 3, 25, 35)
    assert painting.min() >= 0 and painting.max() <= 1


def test_missing_pictures_are_one_sentence(tmp_path, data):
    with pytest.raises(DataError, match="holds no photograph"):
        load_photos(tmp_path, "train")
    with pytest.raises(DataError, match="nobody.jpg does not exist"):
        load_painting(data, "nobody", 25)
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "torn.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="torn.jpg cannot be used: the file is not an image"):
        load_painting(tmp_path, "torn", 25)


def test_a_batch_is_a_function_of_seed_and_step_alone(task):
    first, styles = task.batch(seed=1, step=5)
    task.batch(seed=1, step=6)
    again, _ = task.batch(seed=1, step=5)
    assert torch.equal(first, again)
    assert sorted(styles.tolist()) == [*range(8), PHOTO_ROW]
    assert not torch.equal(first, task.batch(seed=1, step=6)[0])
    assert not torch.equal(first, task.batch(seed=2, step=5)[0])


def test_small_batches_take_the_styles_in_turn(data, task):
    small = StyleTask(
        task.photos,
        task.photos[:1],
        [torch.rand(1, 3, 32, 32)] * 8,
        SqueezeNetFeatures(),
        StyleRecipe(batch_size=3, crop_size=32, val_size=32),
    )
    seen = torch.cat([small.batch(0, step)[1] for step in range(8)])
    assert seen.bincount().tolist() == [3] * 8 + [8]  # and the photograph's own row once in each


def test_early_steps_take_smaller_crops(task):
    recipe = StyleRecipe(batch_size=2, crop_size=32, val_size=32, early_steps=5, early_crop_size=24)
    small = StyleTask(task.photos, task.photos[:1], [torch.rand(1, 3, 32, 32)] * 8, SqueezeNetFeatures(), recipe)
    assert [small.batch(0, step)[0].shape[-1] for step in (0, 4, 5)] == [24, 24, 32]


def test_a_painting_is_at_no_style_distance_from_itself(task, data):
    styles = torch.tensor([3])
    painting = load_painting(data, STYLES[3], 48)
    own = task.distances(painting, painting, styles)
    other = task.distances(painting, painting, torch.tensor([0]))
    assert own["style"] < 1e-6 < other["style"]
    assert own["content"] == 0


def test_the_photograph_s_row_costs_what_the_picture_loses(task):
    row, photo = torch.tensor([PHOTO_ROW]), task.val_crops[:1]
    assert task.distances(photo, photo, row) == {"photo": 0}
    faint, strong = (task.distances(photo.lerp(torch.zeros(()), share), photo, row)["photo"] for share in (0.1, 0.5))
    assert 0 < faint < strong


def test_a_few_steps_bring_the_loss_down(task):
    network = build_tiny()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    batch, losses = task.batch(0, 0), []
    for _ in range(25):
        loss, figures = task.loss(network, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.85 * losses[0]
    torch.testing.assert_close(weigh(figures, task.recipe), torch.tensor(losses[-1]))


def test_evaluation_is_repeatable_and_adds_up(task):
    network = build_tiny().eval()
    report = task.evaluate(network)
    assert report == task.evaluate(network)
    assert report["loss"] == pytest.approx(weigh(report, task.recipe), rel=1e-4)


def test_a_preview_shows_the_photograph_and_then_every_row(task, tmp_path):
    network = build_tiny().eval()
    task.preview(network, tmp_path / "preview.png")
    sheet = np.asarray(Image.open(tmp_path / "preview.png"))
    assert sheet.shape == (2 * 60, 5 * 90, 3)
    np.testing.assert_array_equal(sheet[:60, :90], task.preview_photo.permute(1, 2, 0))
    with torch.no_grad():
        last = network(task.preview_photo.unsqueeze(0) / 255, torch.eye(9)[8:])[0].permute(1, 2, 0) * 255
    np.testing.assert_allclose(sheet[60:, 360:], last, atol=1)


def test_the_task_is_built_from_a_folder_and_a_weight_file(data):
    with pytest.warns(UserWarning, match="SHA-256"):
        built = build_style_task(data, data / "squeezenet.safetensors", StyleRecipe(batch_size=2))
    pixels, _ = built.batch(0, 0)
    assert pixels.shape[0] == 2 + 1 and len(built.photos) == 3

"""Training: resumed to the bit, branched fairly, stopped in time, and scored with every class."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from habn.checkpoints import load_checkpoint, save_checkpoint
from habn.commands import train
from habn.data.segmentation import IGNORE, STREET_CLASSES, SegmentationData
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.metrics import class_iou, confusion_matrix, mean_iou
from habn.networks import build_network
from habn.training.conditions import CONDITIONS, begin_or_continue
from habn.training.loop import fit
from habn.training.search import dead_layers, set_temperature, take_gradient_of_gates
from habn.training.segmentation import (
    SegmentationRecipe,
    SegmentationTask,
    describe_segmentation,
    evaluate_segmentation,
    ignore_unlabelled,
    shuffled,
)
from habn.training.start import finish, give_head_start, start_from, trunk_digest
from habn.training.task import TrainingOptions

OPTIONS = TrainingOptions(steps=6, learning_rate=3e-3, warmup=2, evaluate_every=2)
RECIPE = SegmentationRecipe(batch_size=2, crop=(16, 24))


def build_tiny(norm: str = "habn", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    options = {"search": True} if norm == "habn" else None
    return build_network("spvcnn", norm, options, widths=(4, 6, 8), dilations=(1, 2))


@pytest.fixture
def data() -> SegmentationData:
    """Five pictures whose brightness tells the class, with a void row."""
    labels = torch.randint(0, 11, (5, 6, 8)).repeat_interleave(4, 1).repeat_interleave(4, 2).to(torch.uint8)
    images = (labels[:, None] * 20 + torch.randint(0, 40, (5, 3, 24, 32))).to(torch.uint8)
    labels[:, :2] = IGNORE
    return SegmentationData(images=images, labels=labels, classes=STREET_CLASSES)


@pytest.fixture
def task(data) -> SegmentationTask:
    return SegmentationTask(
        data, SegmentationData(images=data.images[:2], labels=data.labels[:2], classes=data.classes), RECIPE
    )


def same_state(first: nn.Module, second: nn.Module) -> bool:
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(value, states[1][key]) for key, value in states[0].items())


@pytest.mark.parametrize("norm", ["bn", "habn"])
def test_a_stopped_run_continues_to_the_bit(norm, task, tmp_path):
    whole = build_tiny(norm)
    outcome = fit(whole, task, OPTIONS, tmp_path / "whole")
    assert outcome.finished and outcome.step == 6

    half = build_tiny(norm)
    stopped = fit(half, task, replace(OPTIONS, stop_at=3), tmp_path / "parts")
    assert stopped.step == 3 and not same_state(half, whole)
    resumed = build_tiny(norm, seed=99)
    again = fit(resumed, task, OPTIONS, tmp_path / "parts")

    assert same_state(resumed, whole)
    states = [load_file(tmp_path / run / "state.safetensors") for run in ("whole", "parts")]
    assert states[0].keys() == states[1].keys() and any(key.startswith("optimizer.") for key in states[0])
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    assert again.step == outcome.step


def test_a_finished_run_is_left_as_it_is(task, tmp_path):
    network = build_tiny("bn")
    fit(network, task, OPTIONS, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = build_tiny("bn", seed=99)
    assert fit(again, task, OPTIONS, tmp_path).finished
    assert same_state(again, network) and {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_trunk_continued_as_habn_starts_with_the_same_outputs(task, tmp_path):
    trunk = build_tiny("bn")
    stopped = replace(OPTIONS, stop_at=3)
    fit(trunk, task, stopped, tmp_path / "trunk")
    pixels = torch.rand(2, 3, 24, 32)
    for norm in ("bn", "habn"):
        branch = build_tiny(norm, seed=5)
        outcome = fit(branch, task, stopped, tmp_path / norm, branch_from=tmp_path / "trunk")
        assert outcome.step == 3
        for mode in (True, False):
            wanted = copy.deepcopy(trunk).train(mode)(pixels)
            torch.testing.assert_close(copy.deepcopy(branch).train(mode)(pixels), wanted, rtol=1e-4, atol=1e-4)


def test_a_branch_is_the_run_that_was_never_branched(task, tmp_path):
    whole = build_tiny("bn")
    fit(whole, task, OPTIONS, tmp_path / "whole")
    fit(build_tiny("bn"), task, replace(OPTIONS, stop_at=3), tmp_path / "trunk")
    branch = build_tiny("bn", seed=5)
    fit(branch, task, OPTIONS, tmp_path / "branch", branch_from=tmp_path / "trunk")
    assert same_state(branch, whole)


def test_a_branch_trains_what_habn_adds(task, tmp_path):
    fit(build_tiny("bn"), task, replace(OPTIONS, stop_at=3), tmp_path / "trunk")
    branch = build_tiny("habn")
    fit(branch, task, OPTIONS, tmp_path / "branch", branch_from=tmp_path / "trunk")
    layers = [m for m in branch.modules() if isinstance(m, HyperAdaptiveBatchNorm2d)]
    assert layers and all(layer.search.delta.all() for layer in layers)


def test_a_run_stops_cleanly_when_its_time_is_up(task, tmp_path):
    network = build_tiny("bn")
    outcome = fit(network, task, replace(OPTIONS, minutes=0), tmp_path)
    assert outcome.step == 1 and not outcome.finished
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]
    continued = build_tiny("bn", seed=99)
    assert fit(continued, task, OPTIONS, tmp_path).finished
    whole = build_tiny("bn")
    fit(whole, task, OPTIONS, tmp_path / "whole")
    assert same_state(continued, whole)


def test_log_and_averaged_weights_are_those_of_the_validations(task, tmp_path):
    network = build_tiny()
    fit(network, task, OPTIONS, tmp_path)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [2, 4, 6]
    assert all("dead_layers" in entry for entry in entries)
    average = build_tiny(seed=99).eval()
    average.load_state_dict(load_file(tmp_path / "average.safetensors"))
    assert not same_state(average, network)
    # The gates' temperature is part of the schedule, not of the weights.
    set_temperature(average, OPTIONS, 5)
    assert mean_iou(evaluate_segmentation(average, task.val)) == pytest.approx(entries[-1]["val_mean_iou"], abs=1e-6)
    with Image.open(tmp_path / "preview.png") as preview:
        assert preview.size == (2 * 32, 2 * 24)


def test_training_learns(task, tmp_path):
    network = build_tiny(seed=3)  # any start learns; this one well beyond the bound
    batch = task.batch(0, 0)
    before = float(task.loss(network, batch)[0].detach())
    fit(network, task, replace(OPTIONS, steps=40, learning_rate=1e-2, evaluate_every=40), tmp_path)
    assert float(task.loss(network.train(), batch)[0].detach()) < before - 0.15


def test_training_in_bfloat16_stays_finite_and_keeps_float32_weights(task, tmp_path):
    network = build_tiny()
    fit(network, task, replace(OPTIONS, steps=2, precision="bfloat16"), tmp_path)
    assert all(v.dtype != torch.bfloat16 and v.isfinite().all() for v in network.state_dict().values())


def test_the_gates_grow_colder(task, tmp_path):
    network = build_tiny()
    fit(network, task, OPTIONS, tmp_path)
    assert network.stem.norm.search.temperature == pytest.approx(0.1 ** (5 / 6))


def test_a_dead_layer_is_named_and_looking_changes_nothing(task):
    network = build_tiny()
    with torch.no_grad():
        network.stem.norm.encoder.conv3.weight.zero_()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert dead_layers(network.eval(), task, OPTIONS) == ["stem.norm"]
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(m._forward_pre_hooks for m in network.modules())


# Batches


def test_a_batch_is_a_function_of_seed_and_step(task):
    first = task.batch(3, 7)
    torch.rand(5)
    assert all(torch.equal(a, b) for a, b in zip(first, task.batch(3, 7), strict=True))
    for other in (task.batch(3, 8), task.batch(4, 7)):
        assert not torch.equal(other[0], first[0])


def test_each_epoch_shows_every_picture_once_in_an_order_of_its_own():
    seen = torch.cat([shuffled(5, 2, seed=1, step=step) for step in range(10)]).view(4, 5)
    assert all(sorted(epoch.tolist()) == list(range(5)) for epoch in seen)
    assert len({tuple(epoch.tolist()) for epoch in seen}) > 1


class Spy(SegmentationTask):
    def batch(self, seed, step):
        batch = super().batch(seed, step)
        self.seen = [*getattr(self, "seen", []), batch]
        return batch


def test_bn_and_habn_see_the_same_data_in_the_same_order(data, tmp_path):
    spies = []
    for norm in ("bn", "habn"):
        spy = Spy(data, data, RECIPE)
        fit(build_tiny(norm), spy, replace(OPTIONS, steps=4, evaluate_every=100), tmp_path / norm)
        spies.append(spy.seen[:4])
    for first, second in zip(*spies, strict=True):
        assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


def test_labels_move_with_their_pixels(data):
    """The picture is its own label, so after scale, crop and mirror they must still agree."""
    pictures = SegmentationData(
        images=data.labels[:, None].clamp(max=10).repeat(1, 3, 1, 1) * 20, labels=data.labels, classes=data.classes
    )
    recipe = SegmentationRecipe(batch_size=5, crop=(20, 20), jitter=0, scale=(0.5, 2.0))
    pixels, labels = SegmentationTask(pictures, pictures, recipe).batch(0, 0)
    assert pixels.shape == (5, 3, 20, 20) and labels.shape == (5, 20, 20) and labels.dtype == torch.int64
    assert pixels.min() >= 0 and pixels.max() <= 1
    assert set(labels.unique().tolist()) <= {*range(11), IGNORE}
    known = labels != IGNORE
    agree = ((pixels[:, 0] * 255 / 20).round() == labels)[known].float().mean()
    assert known.float().mean() > 0.2 and agree > 0.7  # the rest are edges, which bilinear sampling blends


def test_what_lies_beyond_the_border_is_void(data):
    recipe = SegmentationRecipe(batch_size=5, crop=(96, 128), scale=(1.0, 1.0))
    _, labels = SegmentationTask(data, data, recipe).batch(0, 0)
    assert (labels == IGNORE).float().mean() == pytest.approx(1 - 22 * 32 / (96 * 128), abs=0.02)


def test_crops_of_a_padded_picture_stay_within_it(data):
    """Its padding is void, and nothing of it comes into a crop that fits the picture."""
    labels = data.labels.clamp(max=10)
    labels[:, 12:], labels[:, :, 20:] = IGNORE, IGNORE
    padded = replace(data, labels=labels, sizes=torch.tensor([[12, 20]] * 5))
    task = SegmentationTask(padded, data, replace(RECIPE, batch_size=5, crop=(8, 12), scale=(1.0, 1.4)))
    seen = torch.cat([task.batch(0, step)[1] for step in range(10)])
    assert not seen.eq(IGNORE).any()
    assert SegmentationTask(replace(padded, sizes=None), data, task.recipe).batch(0, 0)[1].eq(IGNORE).any()


def test_a_batch_has_its_share_of_facades(data):
    black = replace(data, images=data.images * 0)
    recipe = replace(RECIPE, batch_size=5, facade=2)
    pixels, _ = SegmentationTask(data, data, recipe, facade=black).batch(0, 0)
    assert [bool(crop.any()) for crop in pixels] == [True, True, True, False, False]


def test_a_schedule_begins_on_smaller_crops(data):
    task = SegmentationTask(data, data, replace(RECIPE, early_steps=2, early_crop=(8, 12)))
    assert [task.batch(0, step)[0].shape[2:] for step in (0, 1, 2)] == [(8, 12), (8, 12), (16, 24)]


def test_what_partial_labels_lack_is_ignored(data):
    """The teacher takes dark pixels for a pole and light ones for the sky."""

    def teacher(pixels):
        return torch.stack([pixels[:, 0], 0 * pixels[:, 0], 0.5 - pixels[:, 0]], 1)

    partial = replace(data, scored=(0, 1), classes=("Sky", "Building", "Pole"))
    masked = ignore_unlabelled(partial, teacher)
    dark = data.images[:, 0] / 255 < 0.25
    assert masked.labels[dark].eq(IGNORE).all() and torch.equal(masked.labels[~dark], data.labels[~dark])
    assert dark.any() and not torch.equal(masked.labels, data.labels)


def test_only_classes_that_are_labelled_are_scored():
    confusion = np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]])
    described = describe_segmentation(confusion, ("Sky", "Building", "Pole"), scored=(0, 1))
    assert described == {"mean_iou": 87.5, "class_iou": {"Sky": 75.0, "Building": 100.0}}


def test_rare_classes_weigh_more_and_void_weighs_nothing(data):
    task = SegmentationTask(data, data, RECIPE)
    shares = np.array([(data.labels == k).sum() for k in range(11)]) / float((data.labels != IGNORE).sum())
    np.testing.assert_allclose(task.class_weights, 1 / np.log(1.10 + shares), rtol=1e-5)
    logits, labels = torch.randn(1, 11, 4, 4), torch.randint(0, 11, (1, 4, 4))
    labels[0, 0] = IGNORE
    loss, _ = task.loss(lambda pixels: logits, (torch.rand(1, 3, 4, 4), labels))
    wanted = F.cross_entropy(logits[:, :, 1:], labels[:, 1:], task.class_weights)
    assert float(loss) == pytest.approx(float(wanted))


# Metrics


def test_every_class_is_counted_and_void_is_ignored():
    labels = np.array([[0, 0, 1], [1, 255, 255]], np.uint8)
    predictions = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)
    confusion = confusion_matrix(labels, predictions, 4)
    np.testing.assert_array_equal(confusion, [[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(class_iou(confusion), [1 / 2, 2 / 3, np.nan, np.nan])
    assert mean_iou(confusion) == pytest.approx((1 / 2 + 2 / 3 + 0 + 0) / 4)


def test_a_class_that_is_predicted_but_never_true_has_no_overlap():
    confusion = confusion_matrix(np.array([0, 0]), np.array([0, 2]), 3)
    np.testing.assert_allclose(class_iou(confusion), [1 / 2, np.nan, 0])


@pytest.mark.parametrize("void", [255, -1, 3])
def test_any_label_that_is_no_class_is_void(void):
    confusion = confusion_matrix(np.array([0, 1, void]), np.array([0, 1, 2]), 3)
    np.testing.assert_array_equal(confusion, np.diag([1, 1, 0]))


def test_perfect_answers_score_one_and_scores_are_of_the_whole_split(data):
    class Perfect(nn.Module):
        def forward(self, pixels):
            return F.one_hot((pixels[:, 0] * 255 / 20).floor().long().clamp(0, 10), 11).permute(0, 3, 1, 2)

    exact = SegmentationData(
        images=data.labels[:, None].clamp(max=10).repeat(1, 3, 1, 1) * 20 + 5, labels=data.labels, classes=data.classes
    )
    confusion = evaluate_segmentation(Perfect().train(), exact)
    assert confusion.sum() == (data.labels != IGNORE).sum() and mean_iou(confusion) == 1
    description = describe_segmentation(confusion, STREET_CLASSES)
    assert description["mean_iou"] == 100 and list(description["class_iou"]) == list(STREET_CLASSES)


# States and searches that end well


def test_the_state_of_another_network_is_refused(task, tmp_path):
    fit(build_tiny("habn"), task, replace(OPTIONS, stop_at=1), tmp_path)
    for network in (build_tiny("bn"), build_network("spvcnn", "habn", {"search": True}, widths=(4, 6, 12))):
        with pytest.raises(ValueError, match=r"state\.safetensors is the state of another network \(see '.+'\); .*\.$"):
            fit(network, task, OPTIONS, tmp_path)
        with pytest.raises(ValueError, match="another network"):
            fit(network, task, OPTIONS, tmp_path / "branch", branch_from=tmp_path)


def test_a_damaged_state_is_refused(task, tmp_path):
    fit(build_tiny("bn"), task, replace(OPTIONS, stop_at=1), tmp_path)
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"state\.safetensors is damaged; .*\.$"):
        fit(build_tiny("bn"), task, OPTIONS, tmp_path)


def test_a_searched_network_is_saved_as_it_was_measured(task, tmp_path):
    network = build_tiny("habn")
    fit(network, task, OPTIONS, tmp_path / "run")
    weights = load_file(tmp_path / "run" / "average.safetensors")
    for key, value in weights.items():
        if key.endswith("logits"):
            value.copy_(torch.tensor([1.0, -1.0, 0.1, -0.1]))
    save_file(weights, tmp_path / "run" / "average.safetensors")
    network = finish(network, tmp_path / "run", OPTIONS)
    save_checkpoint(network, tmp_path / "checkpoint", {}, "")
    loaded = load_checkpoint(tmp_path / "checkpoint")
    assert loaded.stem.norm.search_state().gates.tolist() == [1, 0, 1, 0]
    pixels = torch.rand(1, 3, 24, 32)
    torch.testing.assert_close(loaded(pixels), network(pixels), rtol=1e-4, atol=1e-5)


# Where a run begins


def test_a_branch_computes_what_its_checkpoint_computed(task, tmp_path):
    trunk = build_tiny("bn").eval()
    save_checkpoint(trunk, tmp_path / "trunk", {}, "")
    branch = build_tiny("habn-plus", seed=5).eval()
    start_from(branch, tmp_path / "trunk")
    pixels = torch.rand(1, 3, 24, 32)
    torch.testing.assert_close(branch(pixels), trunk(pixels), rtol=1e-4, atol=1e-4)
    assert trunk_digest(tmp_path / "trunk", None) is not None and trunk_digest(None, None) is None


def test_habn_plus_can_have_a_head_start(data):
    network = build_tiny("habn-plus").eval()
    pixels = torch.rand(1, 3, 24, 32)
    before = network(pixels)
    give_head_start(network.stem, 0.5)
    assert network.stem.norm.search.delta[2:].unique().tolist() == [0.5]
    assert not network.stem.norm.search.delta[:2].any() and not network.to_quarter.norm.search.delta.any()
    assert not torch.equal(network(pixels), before)


def test_a_bilevel_search_moves_the_gates_by_held_out_pictures_alone(data, tmp_path):
    task = SegmentationTask(data.part(torch.arange(3)), data, RECIPE, held_out=data.part(torch.arange(3, 5)))
    shown = []
    task.held_out_batch = lambda seed, step: shown.append(step) or task._batch_of(task.held_out, seed, step)
    gates = {}
    for search in ("joint", "bilevel"):
        network = build_tiny()
        fit(network, task, replace(OPTIONS, search=search), tmp_path / search)
        gates[search] = network.stem.norm.search.logits.detach()
    assert shown == list(range(6)) and not torch.equal(gates["joint"], gates["bilevel"])


def test_held_out_pictures_leave_no_trace_in_running_statistics(data):
    task = SegmentationTask(data.part(torch.arange(3)), data, RECIPE, held_out=data.part(torch.arange(3, 5)))
    network = build_tiny().train()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    take_gradient_of_gates(network, task, replace(OPTIONS, search="bilevel"), 0)
    assert network.stem.norm.search.logits.grad is not None
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.named_buffers())


def test_the_average_follows_the_weights_and_forgets_the_start(task, tmp_path):
    network = build_tiny("bn")
    fit(network, task, replace(OPTIONS, average=0.0), tmp_path)
    average = build_tiny("bn", seed=99)
    average.load_state_dict(load_file(tmp_path / "average.safetensors"))
    assert same_state(average, network)


@pytest.mark.parametrize(
    ("first", "second"), [("in", "bn"), ("bn", "in"), ("in", "habn-plus"), ("habn", "bn"), ("film", "in")]
)
def test_a_branch_takes_no_statistics_across_normalizations(tmp_path, first, second):
    trunk, branch = build_tiny(first, seed=1), build_tiny(second, seed=2)
    save_checkpoint(trunk, tmp_path / "trunk", {}, "")
    before = {key: value.clone() for key, value in branch.state_dict().items()}
    start_from(branch, tmp_path / "trunk")
    shared = trunk.state_dict().keys() & before.keys()
    assert {"stem.conv.weight", "stem.norm.weight", "classify.weight"} <= shared
    for key, value in branch.state_dict().items():
        assert torch.equal(value, trunk.state_dict()[key] if key in shared else before[key])


def test_weather_changes_the_crops_and_not_their_labels(data):
    plain, weather = (SegmentationTask(data, data, replace(RECIPE, weather=on)) for on in (False, True))
    batches = [(plain.batch(0, step), weather.batch(0, step)) for step in range(4)]
    assert all(torch.equal(a[1], b[1]) for a, b in batches)
    assert any(not torch.equal(a[0], b[0]) for a, b in batches)


@pytest.mark.parametrize("weather", [False, True])
def test_a_batch_is_the_same_whatever_the_precision_of_the_training(data, weather):
    task = SegmentationTask(data, data, replace(RECIPE, weather=weather))
    for step in range(12):
        expected = task.batch(0, step)
        with torch.autocast("cpu", torch.bfloat16):
            assert all(map(torch.equal, task.batch(0, step), expected))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--stop-at", "2", "--checkpoint", "mine"], "--stop-at ends a schedule early"),
        (["--stop-at", "9"], "at most --steps"),
        (["--stop-at", "0"], "--stop-at, --batch-size and --evaluate-every must be at least 1"),
        (["--start-from", "trunk", "--branch-from", "run"], "--start-from goes neither with --branch-from"),
    ],
)
def test_arguments_that_contradict_one_another_are_refused(tmp_path, arguments, sentence):
    with pytest.raises(SystemExit, match=f"^error: .*{sentence}"):
        train.main(["segmentation", "--steps", "4", "--run", str(tmp_path / "run"), *arguments])


def test_adain_has_no_scales_that_a_trunk_could_give(tmp_path):
    data = ["--root", str(tmp_path), "--squeezenet", "x.safetensors", "--steps", "4", "--run", str(tmp_path / "run")]
    with pytest.raises(SystemExit, match="^error: .*nor with adain"):
        train.main(["style", *data, "--start-from", "trunk", "--norm", "adain"])


def test_a_run_goes_on_only_on_the_terms_it_was_begun_with(tmp_path):
    folder = tmp_path / "run"

    def terms(*more: str) -> dict:
        words = ["segmentation", "--steps", "4", "--run", str(folder), *more]
        return train.conditions(train.build_parser().parse_args(words))

    begin_or_continue(folder, terms(), begun=False)
    begin_or_continue(folder, terms("--minutes", "2", "--evaluate-every", "7"), begun=True)
    for other, named in (
        (["--seed", "1"], "options.seed 0 and not 1"),
        (["--norm", "habn"], "norm bn and not habn"),
        (["--weather"], "weather False and not True"),
    ):
        with pytest.raises(ValueError, match=f"^.*run was made with {named}; give another --run[.]$"):
            begin_or_continue(folder, terms(*other), begun=True)
    (folder / CONDITIONS).unlink()
    with pytest.raises(ValueError, match="give another --run"):
        begin_or_continue(folder, terms(), begun=True)

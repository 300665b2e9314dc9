"""The straight path that the README walks, from a picture to the file that the inspector draws."""

import numpy as np
import torch

from habn.checkpoints import CHECKPOINTS
from habn.comparison.engine import Request, load_network, run
from habn.comparison.examples import EXAMPLES
from habn.images import open_image
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.ui.inspector import build_inspection

PAIR, CHECKPOINT = "camvid", "spvcnn-habn-camvid"


def test_a_picture_walks_from_the_file_to_the_inspector(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    image = open_image(EXAMPLES[0])
    result = run(Request(EXAMPLES[0], PAIR))
    assert np.array_equal(result.image, open_image(image, max_side=480))

    network = load_network(CHECKPOINT).network
    assert (CHECKPOINTS / CHECKPOINT).is_dir() and result.second.checkpoint == CHECKPOINT
    pixels = torch.from_numpy(result.image).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        logits = network(pixels.to(memory_format=torch.channels_last))
    agreement = (logits[0].argmax(0).numpy() == result.second.labels).mean()
    assert agreement > 0.999  # sums in another order may turn a tie

    record = result.second.records[0]
    layer = network.get_submodule(record.name)
    assert isinstance(layer, HyperAdaptiveBatchNorm2d)
    with torch.inference_mode():
        y = layer(torch.from_numpy(record.x)[None])[0].numpy()
        parameters = layer.effective_parameters(torch.from_numpy(record.x)[None])
    np.testing.assert_allclose(y, record.y, rtol=1e-4, atol=1e-4)
    for k, maps in enumerate(parameters):
        expected = np.broadcast_to(maps[0, 5].numpy(), record.context.shape)
        np.testing.assert_allclose(record.effective(5)[k], expected, rtol=1e-4, atol=1e-5)

    inspection = build_inspection(result.run_id, result.first, result.second, layer=0, channel=5)
    with open(inspection["view"]["path"], "rb") as file:
        content = file.read()
    assert np.float32(record.x[5]).tobytes() in content

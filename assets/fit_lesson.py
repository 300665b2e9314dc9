"""Train the two layers of the lesson: `python -m assets.fit_lesson` writes `assets/lesson.safetensors`.

Both layers, BN and HABN, get the same task (`habn.comparison.lesson.misfit`), steps and learning rate. Takes some
seconds. The parameters are rounded, since people read them; the task is missed by no more for it than
the last figure shown.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn
from tqdm import trange

from habn.comparison.lesson import WEIGHTS, build_layers, draw_picture, misfit
from habn.pixels import to_tensor

STEPS = 1500
LEARNING_RATE = 0.02
DECIMALS = 4


def main() -> None:
    image, regions = draw_picture()
    layers = build_layers(image)
    x = to_tensor(image)
    for name, layer in layers.items():
        fit(layer, x, regions)
        round_parameters(layer)
        print(f"{name}: misfit {misfit(layer(x), regions).item():.3g}", file=sys.stderr)
    save_file(layers.state_dict(), WEIGHTS)


def round_parameters(layer: nn.Module) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(parameter.round(decimals=DECIMALS) + 0.0)  # no -0


def fit(layer: nn.Module, x: torch.Tensor, regions: dict) -> None:
    """Adam with a learning rate that falls to 0 in a straight line; the running statistics remain the picture's."""
    optimizer = torch.optim.Adam(layer.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, STEPS)
    for _ in trange(STEPS, leave=False):
        optimizer.zero_grad()
        misfit(layer(x), regions).backward()
        optimizer.step()
        schedule.step()


if __name__ == "__main__":
    main()

"""Other normalizations that adapt, written from their published formulas, for `habn.benchmark` to time HABN beside.

Each is a norm layer: ``(num_features) -> module`` with forward (N, C, H, W) to (N, C, H, W). None is trained here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SPADE(nn.BatchNorm2d):
    """y = BN(x) * (1 + gamma(m)) + beta(m), with two layers of 3x3 convolutions from a map m to gamma and beta.

    Park et al. 2019, "Semantic image synthesis with spatially-adaptive normalization", where m is a map of classes.
    Here m is x itself, since a network that is to find the classes has no such map.
    """

    def __init__(self, num_features: int, hidden_features: int = 128) -> None:
        super().__init__(num_features, affine=False)
        self.shared = nn.Conv2d(num_features, hidden_features, 3, padding=1)
        self.gamma = nn.Conv2d(hidden_features, num_features, 3, padding=1)
        self.beta = nn.Conv2d(hidden_features, num_features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.shared(x))
        return super().forward(x) * (1 + self.gamma(hidden)) + self.beta(hidden)


class RegionNorm2d(nn.Module):
    """Instance normalization within two regions that the layer finds itself, then scale and bias of each pixel.

    The regions are where r = sigmoid(conv([max_c x, mean_c x])) is at least a threshold, and the rest; scale and bias
    are convolutions of r. The learnable variant (RN-L) of Yu et al. 2020, "Region normalization for image inpainting".
    """

    def __init__(self, num_features: int, threshold: float = 0.8, eps: float = 1e-5) -> None:
        super().__init__()
        self.threshold, self.eps = threshold, eps
        self.region = nn.Conv2d(2, 1, 7, padding=3)
        self.gamma = nn.Conv2d(1, num_features, 3, padding=1)
        self.beta = nn.Conv2d(1, num_features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        r = torch.sigmoid(self.region(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)))
        inside = (r >= self.threshold).to(x.dtype)
        y = self._normalize(x, inside) + self._normalize(x, 1 - inside)
        return y * (1 + self.gamma(r)) + self.beta(r)

    def _normalize(self, x: Tensor, mask: Tensor) -> Tensor:
        count = mask.sum((2, 3), keepdim=True).clamp(min=1)
        mean = (x * mask).sum((2, 3), keepdim=True) / count
        centred = (x - mean) * mask
        return centred * torch.rsqrt(centred.square().sum((2, 3), keepdim=True) / count + self.eps)


class SwitchableNorm2d(nn.BatchNorm2d):
    """Mean and variance are learned mixtures of the statistics of instance, layer and batch normalization.

    Luo et al. 2019, "Differentiable learning-to-normalize via switchable normalization".
    """

    def __init__(self, num_features: int) -> None:
        super().__init__(num_features)
        self.mean_weight = nn.Parameter(torch.ones(3))
        self.var_weight = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        var_in, mean_in = torch.var_mean(x, (2, 3), correction=0)  # (N, C); the others follow from them
        mean_ln = mean_in.mean(1, keepdim=True)
        var_ln = (var_in + mean_in.square()).mean(1, keepdim=True) - mean_ln.square()
        if self.training:
            mean_bn = mean_in.mean(0, keepdim=True)
            var_bn = (var_in + mean_in.square()).mean(0, keepdim=True) - mean_bn.square()
            with torch.no_grad():
                self.running_mean.lerp_(mean_bn[0].to(self.running_mean.dtype), self.momentum)
                self.running_var.lerp_(var_bn[0].to(self.running_var.dtype), self.momentum)
        else:
            mean_bn, var_bn = self.running_mean[None], self.running_var[None]
        of_mean, of_var = self.mean_weight.softmax(0), self.var_weight.softmax(0)
        mean = of_mean[0] * mean_in + of_mean[1] * mean_ln + of_mean[2] * mean_bn
        var = of_var[0] * var_in + of_var[1] * var_ln + of_var[2] * var_bn
        scale = self.weight * torch.rsqrt(var + self.eps)
        return x * scale[..., None, None] + (self.bias - mean * scale)[..., None, None]


class AttentiveNorm2d(nn.BatchNorm2d):
    """Batch normalization whose scale and bias are mixtures of K, weighted by the picture's own mean.

    y = BN(x) * (a @ gamma) + a @ beta with a = hard sigmoid of a linear map of x averaged over its pixels.
    Li, Sun and Wu 2020, "Attentive normalization".
    """

    def __init__(self, num_features: int, mixtures: int = 10) -> None:
        super().__init__(num_features, affine=False)
        self.attention = nn.Sequential(nn.Linear(num_features, mixtures), nn.Hardsigmoid())
        self.gamma = nn.Parameter(torch.ones(mixtures, num_features))
        self.beta = nn.Parameter(torch.zeros(mixtures, num_features))

    def forward(self, x: Tensor) -> Tensor:
        a = self.attention(x.mean((2, 3)))
        return super().forward(x) * (a @ self.gamma)[..., None, None] + (a @ self.beta)[..., None, None]


PEERS = {"spade": SPADE, "region": RegionNorm2d, "switchable": SwitchableNorm2d, "attentive": AttentiveNorm2d}
PEER_LABELS = {
    "spade": "SPADE, of x itself",
    "region": "region normalization, learned",
    "switchable": "switchable normalization",
    "attentive": "attentive normalization",
}

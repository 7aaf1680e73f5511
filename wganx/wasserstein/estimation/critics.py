"""The critics that estimates are read from. All of them score ``(N, d) -> (N,)``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wganx.nn import GroupSort, orthonormalise
from wganx.wasserstein.lipschitz import lipschitz_estimate

_POLISH = 3

FIFTHS = 5.0
"""`Radius.turn` is θ in fifths: an optimizer turns it five times as fast as it moves the weights beside it."""


class Radius(nn.Module):
    """Appends a learnt distance to the samples: ``x (N, d) -> (cos θ · x, sin θ · ‖a ∘ (x - c)‖) (N, d + 1)``.

    1-Lipschitz, for ``|a_i| <= 1``: the two parts of a step have lengths of at most ``cos θ`` and ``sin θ`` times
    that of the step. It gives a critic of flat pieces the one curved function that a difference in spread asks for
    in many dimensions, and takes thousands of flat pieces; θ is learnt, so that it costs nothing where it is of no
    use. (Smooth units would do as well, but bend where no penalty looks: in 16 dimensions the points between samples
    lie nearer to the middle than the samples do.)
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(dim))
        self.stretch = nn.Parameter(torch.ones(dim))
        self.turn = nn.Parameter(torch.tensor(0.7 / FIFTHS))

    def forward(self, x: Tensor) -> Tensor:
        stretch = self.stretch / self.stretch.abs().max().clamp_min(1e-6)
        # A little inside the root keeps its derivative finite at the centre; the slope stays below 1.
        radius = ((stretch * (x - self.centre)).square().sum(1, keepdim=True) + 1e-8).sqrt()
        angle = FIFTHS * self.turn
        return torch.cat([angle.cos() * x, angle.sin() * radius], dim=1)


def curved_perceptron(examples: Tensor, width: int, depth: int) -> nn.Sequential:
    """`Radius`, and a `perceptron` of ReLUs on what it gives: the critic for penalties, which hold it in check.

    It starts without the distance: a penalty that asks for slope 1 everywhere would else leave a cone in place.
    """
    radius = Radius(examples.shape[1]).to(examples.device)
    layers = perceptron(radius(examples).detach(), width, depth)
    first = layers[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.weight[:, -1] = 0
    return nn.Sequential(radius, layers)


def perceptron(examples: Tensor, width: int, depth: int, slope: float = 0.0) -> nn.Sequential:
    """`depth` hidden layers of `width` rectified units (leaky with `slope`), and a score.

    The first layer starts with outputs of unit size on `examples` ``(n, d)``, however many axes hold nothing.
    """
    layers: list[nn.Module] = []
    for inputs in (examples.shape[1], *[width] * (depth - 1)):
        layers += [nn.Linear(inputs, width), nn.LeakyReLU(slope)]
    first = layers[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.to(examples.device)
        size = (examples @ first.weight.T).square().mean().sqrt()
        first.weight.div_(size.clamp_min(1e-6))
    return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0)).to(examples.device)


class OrthonormalCritic(nn.Module):
    """A 1-Lipschitz critic: `Radius`, then orthonormal linear layers with `GroupSort`, as in `wganx.nn.LipschitzMLP`.

    While it learns, its weights are kept on the orthonormal matrices: `project_gradients` before an update removes
    what would leave them, `retract` after it returns the rest. That takes a fraction of the time of a parametrisation
    that is differentiated through. `seal` then gives the layers that parametrisation, and with it the certificate.
    """

    def __init__(self, dim: int, width: int, depth: int) -> None:
        super().__init__()
        self.radius = Radius(dim)
        layers: list[nn.Module] = []
        for inputs in (dim + 1, *[width] * (depth - 1)):
            layers += [nn.Linear(inputs, width), GroupSort()]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0))
        self.linears = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        for layer in self.linears:
            nn.init.orthogonal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layers(self.radius(x))
        return scores

    @torch.no_grad()
    def project_gradients(self) -> None:
        """Keep of each weight's gradient G what is tangent to the orthonormal matrices: ``G - ½ (G Wᵀ + W Gᵀ) W``."""
        for layer in self.linears:
            if layer.weight.grad is not None:
                weight, gradient = _wide(layer.weight), _wide(layer.weight.grad)
                overlap = gradient @ weight.mT
                gradient.sub_(0.5 * (overlap + overlap.mT) @ weight)

    @torch.no_grad()
    def retract(self) -> None:
        """Bring each weight back: a few steps ``W <- 1.5 W - 0.5 W Wᵀ W``, as an update does not lead far away."""
        for layer in self.linears:
            weight = _wide(layer.weight)
            if len(weight) == 1:
                weight.div_(torch.linalg.vector_norm(weight))
                continue
            for _ in range(_POLISH):
                weight.copy_(1.5 * weight - 0.5 * (weight @ weight.mT) @ weight)

    def seal(self, x: Tensor) -> float:
        """Make the layers orthonormal whatever was learnt; returns the product of their norms, at most 1 to rounding.

        `x` are some samples, which the measurement wants to see.
        """
        for layer in self.linears:
            orthonormalise(layer)
        bound = lipschitz_estimate(self.layers, self.radius(x[:2]).detach()).layers
        assert bound is not None
        return bound


def _wide(weight: Tensor) -> Tensor:
    """The matrix, or its transpose, with no more rows than columns: a view."""
    return weight.mT if weight.shape[0] > weight.shape[1] else weight

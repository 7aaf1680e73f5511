"""How weights start."""

from __future__ import annotations

from torch import nn

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """Draws the weights of all convolutions (transposed too) and linear layers from N(0, std²); biases become zero.

    The start of Radford et al. 2016, "Unsupervised representation learning with DCGANs". Norms and embeddings keep
    theirs.
    """
    for layer in module.modules():
        if isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED, nn.Linear)):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_he(module: nn.Module) -> None:
    """Draws the weights of all convolutions and linear layers from N(0, 2 / fan-in); biases become zero.

    Keeps the size of activations through rectified layers (He et al. 2015, "Delving deep into rectifiers"). Norms,
    embeddings and transposed convolutions, whose fan-in depends on the stride, keep theirs.
    """
    for layer in module.modules():
        if isinstance(layer, (*_CONVOLUTIONS, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

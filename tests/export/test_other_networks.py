"""Layers of other people's networks, whose exports public reports tell of: each gives what its module gives."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

from wganx.batch import SampleFormat
from wganx.export.exporting import write_compared
from wganx.export.formats import FORMATS
from wganx.export.ports import Port
from wganx.export.rebuilding import fold
from wganx.export.sizes import ExportFailed, free_sizes
from wganx.export.subject import Positional, Subject
from wganx.runs import RunFolder


class Tied(nn.Module):
    """One layer under two names, and a buffer that lies in memory once for all of its places."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 1, 3, padding=1)
        self.second = self.first
        self.register_buffer("scale", torch.full((1, 1, 1, 1), 0.5).expand(1, 1, 16, 1))

    def forward(self, x_NCHW):
        return self.second(torch.tanh(self.first(x_NCHW))) * self.scale[:, :, :1]


class Recurrent(nn.Module):
    """Rows of a picture one after the other, and as many values for each."""

    def __init__(self):
        super().__init__()
        self.layer = nn.GRU(32, 32, batch_first=True)

    def forward(self, x_NCHW):
        return self.layer(x_NCHW[:, 0])[0].unsqueeze(1)


class Spectrum(nn.Module):
    """Goes through the frequencies of every row of a picture and back."""

    def forward(self, x_NCHW):
        rows = x_NCHW.flatten(1, 2)
        found = torch.stft(rows.flatten(0, 1), 8, 4, window=torch.hann_window(8), return_complex=True)
        back = torch.istft(found * 0.5, 8, 4, window=torch.hann_window(8), length=x_NCHW.shape[-1])
        return back.reshape(x_NCHW.shape)


class Attention(nn.Module):
    """Every place of a picture looks at every other."""

    def __init__(self):
        super().__init__()
        self.layer = nn.MultiheadAttention(8, 2, batch_first=True)
        self.first = nn.Conv2d(1, 8, 3, stride=4, padding=1)

    def forward(self, x_NCHW):
        features = self.first(x_NCHW)
        flat = features.flatten(2).transpose(1, 2)
        return self.layer(flat, flat, flat, need_weights=False)[0].transpose(1, 2).reshape(features.shape)


def conv(out=4, **options):
    return nn.Conv2d(1, out, 3, padding=1, **options)


NETWORKS = {
    "batch-norm": lambda: nn.Sequential(conv(), nn.BatchNorm2d(4, momentum=0.2), nn.ReLU()),
    "instance-norm-after-upsample": lambda: nn.Sequential(
        conv(), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), nn.InstanceNorm2d(4), nn.ReLU()
    ),
    "instance-norm-with-statistics": lambda: nn.Sequential(
        conv(), nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
    ),
    "spectral-norm-of-hooks": lambda: nn.Sequential(spectral_norm(conv()), nn.ReLU()),
    "spectral-norm-of-parametrizations": lambda: nn.Sequential(parametrizations.spectral_norm(conv()), nn.ReLU()),
    "weight-norm-of-hooks": lambda: nn.Sequential(weight_norm(conv()), nn.ReLU()),
    "weight-norm-of-parametrizations": lambda: nn.Sequential(parametrizations.weight_norm(conv()), nn.ReLU()),
    "dropout": lambda: nn.Sequential(conv(), nn.Dropout2d(0.5), nn.Tanh()),
    "transposed": lambda: nn.Sequential(conv(), nn.ConvTranspose2d(4, 2, 4, 2, 1, output_padding=1, groups=2)),
    "pixel-shuffle": lambda: nn.Sequential(conv(), nn.PixelShuffle(2)),
    "grouped-and-normed": lambda: nn.Sequential(conv(), nn.GroupNorm(2, 4), nn.PReLU(4)),
    "adaptive-pool": lambda: nn.Sequential(conv(), nn.AdaptiveAvgPool2d(4)),
    "mirrored-border": lambda: nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(1, 2, 3)),
    "tied": Tied,
    "recurrent": Recurrent,
    "attention": Attention,
}

SETTLED = {"adaptive-pool", "recurrent"}
"""Those that cannot be written for every size."""


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
def test_a_layer(name, tmp_path):
    torch.manual_seed(3)
    network = NETWORKS[name]()
    with torch.no_grad():
        for _ in range(3):  # so that running means and power iterations are none of a network just built
            network.train()(torch.randn(4, 1, 16, 32) + 0.5)
    fold(network.requires_grad_(False).eval())
    agreement, fixed = written(network, tmp_path)
    assert agreement.largest > 0.01
    assert bool(fixed) is (name in SETTLED), fixed


def test_a_pooling_to_a_fixed_size_where_no_training_fixed_one(tmp_path):
    network = nn.Sequential(conv(), nn.AdaptiveAvgPool2d(4)).requires_grad_(False).eval()
    with pytest.raises(ExportFailed, match="what was written cannot be called on"):
        written(network, tmp_path, (1, None, None))


def test_a_graph_that_onnx_runtime_refuses(tmp_path):
    """torch writes the inverse of a Fourier transform with integers of two kinds."""
    with pytest.raises(ExportFailed, match=r"ONNX Runtime does not take what torch wrote: InvalidGraph: .*ScatterND"):
        written(Spectrum(), tmp_path)


def written(network, folder, shape=(1, 16, 32)):
    format = SampleFormat(axes=("channel", "height", "width"), shape=shape)
    inputs = (Port.of("source", format, 32),)
    given = Subject(
        role="generator", network=network, positional=Positional(network, inputs, 1), inputs=inputs,
        output=Port.of("sample", format, 32), build={}, folder=RunFolder(folder), step=0,
    )  # fmt: skip
    # ONNX is written from the program of torch.export, so that it stands for both.
    return write_compared(FORMATS["onnx"], given, free_sizes(given), folder)[1:]

"""WX041: the pattern of transposed convolutions is told from real detail."""

import pytest
import torch
import wganx_image
from torch import nn
from torch.nn import functional as F

from wganx import Vitals


def smooth(count=16, size=16, seed=0):
    """Pictures of soft blobs."""
    rng = torch.Generator().manual_seed(seed)
    return F.interpolate(torch.randn(count, 3, size // 4, size // 4, generator=rng), size=size, mode="bilinear")


def inspect(fake, real=None):
    (check,) = wganx_image.wganx_health_checks()
    assert (check.code, check.modality) == ("WX041", "image")
    return check.factory("inspect")(
        Vitals(step=1, scalars={}, real=smooth(seed=1) if real is None else real, fake=fake)
    )


def test_a_checkerboard_is_found():
    torch.manual_seed(0)
    # Kernel 3 at stride 2 overlaps unevenly: every second pixel is summed from twice as many weights.
    board = nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1, output_padding=1)
    nn.init.constant_(board.weight, 0.3)
    with torch.no_grad():
        fake = board(smooth(size=8))
    assert "of their power in a two-pixel pattern, real pictures" in inspect(fake)


def test_healthy_pictures_are_left_alone():
    assert inspect(smooth()) is None
    assert inspect(smooth() + 0.05 * torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(3))) is None


@pytest.mark.parametrize("size", [15, 17])
def test_odd_sizes(size):
    pictures = smooth(size=20)[..., :size, :size]
    assert inspect(pictures, pictures) is None


def test_real_pictures_with_fine_detail_are_the_measure():
    noise = torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert inspect(noise, noise) is None


def test_pictures_too_small_for_a_spectrum_are_left_alone():
    tiny = torch.randn(4, 1, 6, 6)
    assert inspect(tiny, torch.zeros(4, 1, 6, 6)) is None

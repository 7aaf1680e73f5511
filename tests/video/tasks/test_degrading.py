"""Small frames of large ones: what each step does, alone, and that evaluation always sees the same."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from wganx_video.configs.tasks import UpscaleConfig
from wganx_video.networks.starts import shrink
from wganx_video.tasks.degrading import blurred, compressed, degrade


def clips(rows: int = 3, side: int = 32, channels: int = 1) -> torch.Tensor:
    """Smooth clips, since compression is made for such."""
    place = torch.arange(side) / side
    waves = torch.stack([torch.sin(2 * math.pi * (row + 1) * place) for row in range(rows)])
    frames = 0.5 + 0.2 * (waves[:, :, None] + waves[:, None, :])
    return frames[:, None, None].expand(rows, 2, channels, side, side).contiguous()


def test_small_frames_are_shrunk_and_have_eight_bits():
    large = clips()
    small = degrade(large, UpscaleConfig(scale=2), None)
    assert small.shape == (3, 2, 1, 16, 16)
    torch.testing.assert_close(small, (small * 255).round() / 255)
    assert (small - shrink(large, 2)).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("options", [{"blur": 2.0}, {"noise": 0.1}, {"compression": 80}, {}])
def test_evaluation_sees_the_same_every_time_and_training_does_not(options):
    config = UpscaleConfig(scale=2, **options)
    one, again = (degrade(clips(), config, None) for _ in range(2))
    assert torch.equal(one, again)
    assert torch.equal(one[:2], degrade(clips()[:2], config, None))  # whatever rows stand beside
    rng = torch.Generator().manual_seed(0)
    drawn, other = (degrade(clips(), config, rng) for _ in range(2))
    assert torch.equal(drawn, other) == (not options)
    assert one.min() >= 0
    assert one.max() <= 1


def test_a_blur_keeps_the_mean_and_spreads_a_point_as_a_gaussian():
    point = torch.zeros(2, 1, 1, 31, 31)
    point[..., 15, 15] = 1
    spread = blurred(point, torch.tensor([1.5, 3.0]), reach=9)
    torch.testing.assert_close(spread.sum((1, 2, 3, 4)), torch.ones(2), atol=1e-4, rtol=0)
    along = torch.arange(31.0) - 15
    variance = (spread.sum(3)[:, 0, 0] * along.square()).sum(1)
    torch.testing.assert_close(variance, torch.tensor([2.25, 9.0]), rtol=0.06, atol=0)
    flat = torch.full((1, 1, 1, 9, 9), 0.3)
    torch.testing.assert_close(blurred(flat, torch.tensor([2.0]), reach=6), flat)


def test_no_blur_changes_nothing():
    large = clips()
    torch.testing.assert_close(blurred(large, torch.zeros(3), reach=1), large)


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_compression_is_that_of_jpeg(quality):
    """Pillow writes and reads a grey picture."""
    picture = (clips(1, 24)[0, 0, 0] * 220 + 1.3 * torch.arange(24)).round()
    content = io.BytesIO()
    Image.fromarray(picture.to(torch.uint8).numpy()).save(content, "JPEG", quality=quality)
    theirs = torch.from_numpy(np.array(Image.open(content))).float()
    ours = 255 * compressed(picture[None, None, None] / 255, torch.tensor([float(quality)]))[0, 0, 0]
    # But for a coefficient here and there that lies half way between two steps, which fixed-point arithmetic moves.
    apart = (ours - theirs).abs()
    assert apart.median() <= 0.6
    assert apart.mean() <= 0.8


def test_compression_takes_any_size_and_more_of_it_loses_more():
    large = clips(2, 29, channels=3) + 0.1 * torch.rand(2, 2, 3, 29, 29, generator=torch.Generator().manual_seed(0))
    lost = [(compressed(large, torch.full((2,), quality)) - large).square().mean() for quality in (95.0, 50.0, 5.0)]
    assert lost[0] < lost[1] < lost[2]

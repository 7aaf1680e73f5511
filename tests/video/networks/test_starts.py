"""What is known of frames without learning: exact where a frame is, linear between, and the kernels that are named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional as F
from wganx_video.networks.starts import (
    blank,
    blend,
    blend_weights,
    enlarge,
    last_frame,
    mean_of_past,
    shrink,
    time_weights,
)


def clip(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_the_trivial_futures():
    past = clip(2, 3, 1, 4, 5)
    assert torch.equal(last_frame(past, 2), torch.stack([past[:, 2]] * 2, 1))
    assert torch.equal(mean_of_past(past, 2), torch.stack([past.mean(1)] * 2, 1))
    assert torch.equal(blank(past, 2), torch.zeros(2, 2, 1, 4, 5))


def test_a_blend_is_linear_between_the_nearest_on_both_sides():
    weights = blend_weights((0, 2, 6), (1, 3, 4, 5))
    expected = torch.tensor([[0.5, 0.5, 0], [0, 0.75, 0.25], [0, 0.5, 0.5], [0, 0.25, 0.75]])
    assert torch.equal(weights, expected)
    frames = clip(2, 3, 2, 4, 4)
    torch.testing.assert_close(blend(frames, weights)[:, 1], 0.75 * frames[:, 1] + 0.25 * frames[:, 2])


@given(st.lists(st.integers(0, 12), min_size=2, max_size=5, unique=True).map(sorted), st.data())
@settings(max_examples=25, deadline=None)
def test_motion_at_one_speed_is_blended_without_error_in_brightness(kept, data):
    """Brightness that rises evenly is its own linear blend, wherever frames are missing."""
    between = [place for place in range(kept[0], kept[-1]) if place not in kept]
    if not between:
        return
    rise = torch.arange(13.0)[None, :, None, None, None] / 12
    made = blend(rise[:, kept], blend_weights(kept, between))
    torch.testing.assert_close(made, rise[:, between])


def test_time_is_of_every_row_its_own():
    frames = clip(3, 2, 1, 4, 4)
    made = blend(frames, time_weights(torch.tensor([0.0, 1.0, 0.25])))
    assert made.shape == (3, 1, 1, 4, 4)
    assert torch.equal(made[0, 0], frames[0, 0])
    assert torch.equal(made[1, 0], frames[1, 1])
    torch.testing.assert_close(made[2, 0], 0.75 * frames[2, 0] + 0.25 * frames[2, 1])


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_small_frames_are_those_of_pillow(scale):
    """Pillow's bicubic has a = -0.5 and looks at all that is shrunk."""
    large = clip(1, 1, 1, 24, 48)
    pillow = Image.fromarray(large[0, 0, 0].numpy()).resize((48 // scale, 24 // scale), Image.Resampling.BICUBIC)
    ours = shrink(large, scale)[0, 0, 0]
    torch.testing.assert_close(ours, torch.from_numpy(np.array(pillow)), atol=1e-5, rtol=0)


def test_bicubic_kernels_have_the_parameter_they_are_named_after():
    """A step is read off Keys' kernel, which a alone shapes (1981, eq. 15)."""
    step = torch.zeros(1, 1, 1, 1, 16)
    step[..., 8:] = 0.5  # far from 0 and 1, where nothing is cut off
    step += 0.25

    def keys(x: float, a: float) -> float:
        x = abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    for a in (-0.5, -0.75):
        made = enlarge(step, 2, f"bicubic{a:g}")[0, 0, 0, 0]
        # Pixel 16 of the large lies at 7.75 of the small: 0.25 before the eighth, 0.75 after the seventh.
        expected = 0.25 + 0.5 * (keys(0.25, a) + keys(1.25, a))
        torch.testing.assert_close(float(made[16]), expected, atol=1e-5, rtol=0)


def test_nearest_repeats_and_bilinear_stays_between():
    low = clip(2, 3, 1, 5, 4)
    assert torch.equal(enlarge(low, 3, "nearest"), low.repeat_interleave(3, 3).repeat_interleave(3, 4))
    made = enlarge(low, 2, "bilinear")
    assert made.min() >= low.min()
    assert made.max() <= low.max()
    expected = F.interpolate(low.flatten(0, 1), scale_factor=2.0, mode="bilinear").view(made.shape)
    torch.testing.assert_close(made, expected)


def test_what_overshoots_is_cut_off():
    low = (clip(1, 1, 1, 8, 8) > 0.5).float()
    for kernel in ("bicubic-0.75", "bicubic-0.5"):
        made = enlarge(low, 4, kernel)
        assert made.min() == 0
        assert made.max() == 1


@pytest.mark.parametrize("kernel", ["bicubic-0.75", "bicubic-0.5", "bilinear", "nearest"])
def test_in_half_precision_frames_are_resized_in_single(kernel):
    low = clip(1, 2, 1, 6, 6)
    exact = enlarge(low, 2, kernel), shrink(low, 2)
    with torch.autocast("cpu", torch.bfloat16):
        made = enlarge(low, 2, kernel), shrink(low, 2)
    assert torch.equal(made[0], exact[0])
    assert torch.equal(made[1], exact[1])

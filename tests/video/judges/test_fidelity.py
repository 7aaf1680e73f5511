"""Errors, PSNR and SSIM: values that were computed by hand or by another's formula, and what must always hold."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, uniform_filter
from wganx_video.judges.similarity import ssim, ssim_legacy

from wganx import DataError

from .conftest import clips, numbers


def halves(shape=(2, 3, 1, 12, 12)):
    """Black films, and grey ones of level a half: every difference is 0.5."""
    return torch.full(shape, 0.5), torch.zeros(shape)


def test_openstl_sums_over_a_frame_and_pixels_average():
    made, true = halves()
    found = numbers("error", made, true)
    assert found == pytest.approx({"mse": 36.0, "mae": 72.0, "mse_pixel": 0.25, "mae_pixel": 0.5})
    assert numbers("psnr", made, true) == pytest.approx({"psnr": 10 * math.log10(4), "psnr_global": 10 * math.log10(4)})


def test_openstl_s_formula_written_down():
    made, true = clips(3, 4, 2, 12, 12), clips(3, 4, 2, 12, 12, seed=1)
    a, b = made.numpy(), true.numpy()
    found = numbers("error", made, true)
    # Its `MSE` and `MAE` without `spatial_norm`.
    assert found["mse"] == pytest.approx(float(np.mean((a - b) ** 2, axis=(0, 1)).sum()), rel=1e-6)
    assert found["mae"] == pytest.approx(float(np.mean(np.abs(a - b), axis=(0, 1)).sum()), rel=1e-6)


def test_psnr_of_frames_is_not_that_of_all():
    true = torch.zeros(1, 2, 1, 12, 12)
    made = true.clone()
    made[:, 0], made[:, 1] = 0.1, 1.0  # 20 dB and 0 dB; a mean error of 0.505
    found = numbers("psnr", made, true)
    assert found == pytest.approx({"psnr": 10.0, "psnr_global": -10 * math.log10(0.505)}, rel=1e-5)


def test_values_outside_are_cut_off_before_they_are_compared():
    true = torch.ones(2, 2, 1, 12, 12)
    assert numbers("error", true + 5, true)["mse"] == 0
    assert numbers("psnr", -true, true)["psnr"] == pytest.approx(0)


def test_identical_clips():
    same = clips(2, 3, 3, 12, 12)
    assert set(numbers("error", same, same).values()) == {0.0}
    assert numbers("psnr", same, same) == {"psnr": 60.0, "psnr_global": 60.0}
    assert numbers("ssim", same, same) == {"ssim": 1.0, "ssim_legacy": 1.0}


def test_one_frame_without_error_leaves_the_mean_a_number():
    true = torch.full((1, 2, 1, 12, 12), 0.5)
    made = true.clone()
    made[:, 1] = 0.6
    assert numbers("psnr", made, true)["psnr"] == pytest.approx((60 + 20) / 2, rel=1e-5)
    # Rounding to 8 bits alone, the least error that a file has, hardly lies below.
    smooth = clips(2, 2, 1, 32, 32)
    rounded = (smooth * 255).round() / 255
    assert numbers("psnr", rounded, smooth)["psnr"] == pytest.approx(58.9, abs=0.2)


def test_a_generator_that_diverged_is_named():
    made, true = halves()
    made[0, 0, 0, 0, 0] = math.nan
    for metric in ("error", "psnr", "ssim", "sharpness", "flicker", "steps"):
        with pytest.raises(DataError, match="1 of 2 samples hold values that are not finite"):
            numbers(metric, made, true)


class TestSimilarity:
    def test_modern_is_that_of_its_authors(self):
        made, true = clips(2, 1, 20, 17).double(), clips(2, 1, 20, 17, seed=1).double() * 0.5
        theirs = [scikit_image(a[0].numpy(), b[0].numpy(), modern=True) for a, b in zip(made, true)]
        assert ssim(made, true).tolist() == pytest.approx(theirs, abs=1e-9)
        # That of torchmetrics counts frames padded by their reflection as well, and gives other numbers.

    def test_legacy_is_scikit_image_0_19(self):
        made, true = clips(2, 1, 14, 18).double(), clips(2, 1, 14, 18, seed=1).double() * 0.7
        theirs = [scikit_image(a[0].numpy(), b[0].numpy()) for a, b in zip(made, true)]
        assert ssim_legacy(made, true).tolist() == pytest.approx(theirs, abs=1e-9)

    def test_flat_frames_by_hand(self):
        # No structure: (2ab + C1) / (a^2 + b^2 + C1).
        a, b = torch.full((1, 1, 12, 12), 0.2).double(), torch.full((1, 1, 12, 12), 0.4).double()
        assert ssim(a, b).item() == pytest.approx((0.16 + 1e-4) / (0.2 + 1e-4))
        assert ssim_legacy(a, b).item() == pytest.approx((0.16 + 4e-4) / (0.2 + 4e-4))

    def test_frames_too_small_for_a_window_have_no_such_number(self):
        made, true = clips(2, 2, 1, 10, 10), clips(2, 2, 1, 10, 10, seed=1)
        assert numbers("ssim", made, true).keys() == {"ssim_legacy"}
        assert numbers("ssim", made[..., :6, :6], true[..., :6, :6]) == {}

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 1000), height=st.integers(11, 20), width=st.integers(11, 20), channels=st.integers(1, 3))
    def test_it_is_even_and_bounded(self, seed, height, width, channels):
        a, b = clips(2, channels, height, width, seed=seed), clips(2, channels, height, width, seed=seed + 1)
        for way in (ssim, ssim_legacy):
            found = way(a, b)
            assert torch.allclose(found, way(b, a), atol=1e-6)
            assert bool((found.abs() <= 1 + 1e-6).all())
            assert way(a, a).tolist() == [1.0, 1.0]


def scikit_image(x, y, modern=False):
    """`structural_similarity` of scikit-image, written down: to 0.19 for floats with its defaults; or, as its authors
    have it, ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1``."""
    size, spread, unbiased = (11, 1.0, 1.0) if modern else (7, 2.0, 49 / 48)

    def mean(of):
        return gaussian_filter(of, 1.5, truncate=3.5) if modern else uniform_filter(of, size)

    ux, uy = mean(x), mean(y)
    vx, vy, vxy = (unbiased * (mean(a * b) - p * q) for a, b, p, q in ((x, x, ux, ux), (y, y, uy, uy), (x, y, ux, uy)))
    one, two = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    found = ((2 * ux * uy + one) * (2 * vxy + two)) / ((ux**2 + uy**2 + one) * (vx + vy + two))
    pad = (size - 1) // 2
    return float(found[pad:-pad, pad:-pad].mean())


class TestOptions:
    def test_luma_of_primaries(self):
        true = torch.zeros(1, 1, 3, 12, 12)
        for channel, share in enumerate((65.481, 128.553, 24.966)):
            made = true.clone()
            made[:, :, channel] = 1
            found = numbers("error", made, true, colour="y")
            assert found["mae_pixel_y"] == pytest.approx(share / 255, rel=1e-5)
            assert set(found) == {"mse_y", "mae_y", "mse_pixel_y", "mae_pixel_y"}

    def test_luma_of_grey_is_itself_and_of_others_refused(self):
        made, true = halves()
        assert numbers("psnr", made, true, colour="y")["psnr_y"] == numbers("psnr", made, true)["psnr"]
        with pytest.raises(DataError, match="1 or 3 channels, and these have 2"):
            numbers("psnr", *halves((1, 2, 2, 12, 12)), colour="y")

    def test_a_border_is_left_out(self):
        true = clips(2, 2, 1, 16, 16)
        made = true.clone()
        made[..., :2, :] = 1 - true[..., :2, :]
        made[..., -1] = 0
        assert numbers("error", made, true)["mse"] > 0
        assert numbers("error", made, true, border=2)["mse"] == 0
        with pytest.raises(DataError, match="border=8 leaves nothing of frames of 16 x 16 px"):
            numbers("error", made, true, border=8)


class TestSteps:
    def test_every_step_has_its_own_error(self):
        true = torch.zeros(2, 4, 1, 12, 12)
        made = torch.arange(1, 5).view(1, 4, 1, 1, 1) / 10 + true
        found = numbers("steps", made, true)
        assert found["mse_first"] == pytest.approx(1.44)
        assert found["mse_last"] == pytest.approx(23.04)
        assert found["mse_steps"] == pytest.approx({f"step {i}": 1.44 * i * i for i in range(1, 5)}, rel=1e-5)
        assert found["psnr_steps"]["step 1"] == pytest.approx(20.0, rel=1e-5)
        assert list(found["ssim_steps"]) == list(found["mse_steps"])

    def test_their_mean_is_the_metric(self):
        made, true = clips(3, 4, 1, 12, 12), clips(3, 4, 1, 12, 12, seed=1)
        found = numbers("steps", made, true)
        for name, metric in (("mse", "error"), ("psnr", "psnr"), ("ssim", "ssim")):
            mean = sum(found[f"{name}_steps"].values()) / 4
            assert mean == pytest.approx(numbers(metric, made, true)[name], rel=1e-6)

    def test_one_frame_has_no_course(self):
        assert numbers("steps", clips(2, 1, 1, 12, 12), clips(2, 1, 1, 12, 12, seed=1)) == {}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 5), frames=st.integers(1, 4))
def test_rows_are_judged_on_their_own(seed, rows, frames):
    """The order of rows is of no matter, more error is worse, and no error is best."""
    true = clips(rows, frames, 1, 12, 12, seed=seed)
    made = (true + 0.1 * clips(rows, frames, 1, 12, 12, seed=seed + 1)).clamp(0, 1)
    worse = (true + 0.3 * clips(rows, frames, 1, 12, 12, seed=seed + 1)).clamp(0, 1)
    found, turned = numbers("error", made, true), numbers("error", made.flip(0), true.flip(0))
    assert found == pytest.approx(turned)
    assert 0 < found["mse"] < numbers("error", worse, true)["mse"]
    assert found["mse"] <= found["mae"]  # as no difference passes 1
    decibels = numbers("psnr", made, true)
    assert decibels["psnr_global"] <= decibels["psnr"] + 1e-9

"""Sharpness and flicker."""

import pytest
import torch

from .conftest import clips, game, numbers


def checkers(rows=2, frames=4, size=16, contrast=1.0):
    """Single pixels black and white in turn: every difference to a neighbour is `contrast`."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return (contrast * ((x + y) % 2).float()).expand(rows, frames, 1, size, size).contiguous()


class TestSharpness:
    def test_half_of_the_contrast_is_half_as_sharp(self):
        found = numbers("sharpness", checkers(contrast=0.5), checkers())
        assert found == pytest.approx({"sharpness": 0.5, "sharpness_gap": 0.5})
        assert numbers("sharpness", checkers(), checkers(contrast=0.5))["sharpness"] == pytest.approx(2.0)

    def test_the_same_and_what_is_elsewhere_are_as_sharp(self):
        true = clips(3, 4, 3, 16, 16)
        assert numbers("sharpness", true, true) == {"sharpness": 1.0, "sharpness_gap": 0.0}
        assert numbers("sharpness", true.flip(3), true)["sharpness"] == pytest.approx(1.0)

    def test_nothing_is_as_sharp_as_nothing(self):
        flat = torch.zeros(2, 4, 1, 16, 16)
        assert numbers("sharpness", checkers(), flat) == {}
        assert numbers("sharpness", flat, checkers()) == {"sharpness": 0.0, "sharpness_gap": 1.0}


class TestFlicker:
    def test_a_still_error_costs_nothing_and_one_that_jumps_does(self):
        true = torch.full((2, 4, 1, 16, 16), 0.5)
        past = {"past": torch.full((2, 3, 1, 16, 16), 0.5)}
        brighter = true + 0.2
        assert numbers("flicker", brighter, true) == pytest.approx({"flicker": 0.0})  # nothing of the truth moves
        # With its past before it the step to the first frame is a seam: one of four changes is wrong by 0.2.
        assert numbers("flicker", brighter, true, game(), given=past) == pytest.approx({"flicker": 0.05})
        jumping = true + torch.tensor([0.2, -0.2, 0.2, -0.2]).view(1, 4, 1, 1, 1)
        found = numbers("flicker", jumping, true, game(), given=past)
        assert found["flicker"] == pytest.approx((0.2 + 3 * 0.4) / 4)

    def test_motion_is_that_of_made_frames_over_true_ones(self):
        true = torch.arange(4).view(1, 4, 1, 1, 1).expand(2, 4, 1, 16, 16) / 10
        assert numbers("flicker", true / 2, true)["motion"] == pytest.approx(0.5)
        assert numbers("flicker", torch.zeros_like(true), true)["motion"] == 0

    def test_frames_between_others_have_neighbours_even_alone(self):
        played = game("interpolate", kept=(0, 2), frames=3)
        ends = torch.stack([torch.zeros(2, 1, 16, 16), torch.ones(2, 1, 16, 16)], 1)
        true, made = torch.full((2, 1, 1, 16, 16), 0.5), torch.zeros(2, 1, 1, 16, 16)
        # 0, .5, 1 against 0, 0, 1: both changes are wrong by a half, and all in all it moves as much.
        found = numbers("flicker", made, true, played, given={"frames": ends})
        assert found == pytest.approx({"flicker": 0.5, "motion": 1.0})

    def test_changes_between_given_frames_are_not_the_generator_s(self):
        true, past = torch.full((2, 4, 1, 16, 16), 0.5), clips(2, 3, 1, 16, 16)
        past[:, -1] = 0.5
        assert numbers("flicker", true, true, game(), given={"past": past}) == {"flicker": 0.0}

    def test_a_single_frame_has_no_neighbour(self):
        played = game("upscale", frames=3, output="middle")
        one = clips(2, 1, 1, 16, 16)
        assert numbers("flicker", one, one, played, given={"low": clips(2, 3, 1, 8, 8)}) == {}

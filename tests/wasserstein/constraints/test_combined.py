"""Several constraints on one critic."""

import pytest
import torch
from torch import nn

import wganx
from wganx.wasserstein import ByConstruction, Combined, NoConstraint


def critic():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0))


def test_it_is_all_of_its_parts():
    both = Combined(wganx.SpectralNorm(), wganx.GradientPenalty(2.0))
    assert (both.name, both.reads_w1, both.penalises, both.owns) == (
        "spectral-norm+gradient-penalty", True, True, "weights",
    )  # fmt: skip
    network = critic()
    both.prepare(network)
    assert hasattr(network[0], "parametrizations")
    clipped = Combined(wganx.WeightClipping(0.01), wganx.LipschitzPenalty())
    network = critic()
    clipped.after_update(network)
    assert max(weight.abs().max().item() for weight in network.parameters()) <= 0.01 + 1e-9


def test_each_penalty_keeps_its_own_pace():
    often, seldom = wganx.GradientPenalty(), wganx.LipschitzPenalty(every=3)
    both = Combined(often, seldom)
    assert [list(both.due(update)) for update in range(4)] == [
        [(1, often), (3, seldom)], [(1, often)], [(1, often)], [(1, often), (3, seldom)],
    ]  # fmt: skip


def test_the_bias_of_several_penalties_is_not_known():
    assert Combined(wganx.GradientPenalty(), wganx.LipschitzPenalty()).correct(2.0) is None


def test_drifts_add_up():
    assert Combined(wganx.GradientPenalty(drift=1e-3), wganx.WeightClipping(drift=2e-3)).drift == pytest.approx(3e-3)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((wganx.GradientPenalty(),), "a combination needs at least two constraints, got 1"),
        ((wganx.GradientPenalty(1.0), wganx.GradientPenalty(2.0)), "'gradient-penalty' is combined with itself"),
        ((wganx.SpectralNorm(), wganx.WeightClipping()), "spectral-norm and clip both change the critic's weights"),
        ((wganx.GradientPenalty(), NoConstraint()), "'none' adds nothing to a combination"),
        ((wganx.GradientPenalty(), ByConstruction()), "'by-construction' adds nothing to a combination"),
        (
            (wganx.SpectralNorm(), Combined(wganx.GradientPenalty(), wganx.LipschitzPenalty())),
            "list all parts in one combination",
        ),
    ],
)
def test_what_cannot_be_combined_is_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        Combined(*parts)


def test_it_trains_logs_every_part_and_is_restored(tmp_path):
    torch.manual_seed(0)
    data = [torch.randn(8, 3) for _ in range(4)]

    def networks():
        torch.manual_seed(1)
        return nn.Linear(2, 3), critic()

    both = Combined(wganx.SpectralNorm(), wganx.GradientPenalty(2.0, every=2, drift=0.1))
    trainer = wganx.Trainer(*networks(), noise=(2,), constraint=both, device="cpu", critic_steps=2)
    (scalars,) = trainer.fit(data, steps=2, log_every=2).history
    assert {"w1_raw", "penalty/gradient-penalty", "gradient_norm/gradient-penalty", "drift"} <= scalars.keys()
    assert "w1_corrected" not in scalars
    trainer.save(tmp_path / "x")
    assert wganx.Trainer.load(tmp_path / "x", *networks(), device="cpu").constraint == both


def test_the_penalty_is_the_sum_of_its_parts():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    real, fake = torch.randn(6, 3), torch.randn(6, 3)
    parts = wganx.wasserstein.R1(2.0), wganx.wasserstein.R2(3.0)
    both = wganx.wasserstein.Combined(wganx.SpectralNorm(), *parts).penalty(critic, real, fake)
    assert both.item() == pytest.approx(sum(part.penalty(critic, real, fake).item() for part in parts))
    both.backward()
    assert critic[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_a_penalty_inside_no_grad_is_the_one_outside(around):
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    real = torch.randn(6, 3)
    outside = [kind(2.0).penalty(critic, real, -real) for kind in (wganx.wasserstein.R1, wganx.wasserstein.WganDiv)]
    with around():
        fake = -(real * 1)
        inside = [
            kind(2.0).penalty(critic, real * 1, fake) for kind in (wganx.wasserstein.R1, wganx.wasserstein.WganDiv)
        ]
        wganx.GradientPenalty().penalty(critic, real * 1, fake)
        wganx.LipschitzPenalty().penalty(critic, real * 1, fake)
    assert not inside[0].requires_grad
    assert inside[0].item() == pytest.approx(outside[0].item())

"""Augmentation whose strength follows how much the critic overfits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import wganx
from wganx.engine.carrying.recorded import Recorded
from wganx.errors import UsageError

Make = Callable[..., wganx.Trainer]
ROWS = 8


class FirstValue(nn.Module):
    """A critic that is what it is: its score is the first value of a sample."""

    def __init__(self, pack: int = 1, offset: float = 0.0) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))
        self.pack, self.offset = pack, offset

    def forward(self, x: Tensor) -> Tensor:
        return self.offset + self.slope * (x if self.pack == 1 else x.mean(dim=1))[:, 0]


class Nothing(nn.Module):
    """A generator of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, noise: Tensor) -> Tensor:
        return self.weight * noise[:, :2]


def unchanged(samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
    return samples


def still(rule: wganx.AdaptiveAugmentation, train: float, heldout: float, steps: int, **rules: Any) -> list[float]:
    """The strength after each of `steps` steps of players that do not move, with these mean scores."""
    critic = FirstValue(rules.get("pack", 1), rules.pop("offset", 0.0))
    trainer = wganx.Trainer(
        Nothing(), critic, noise=(4,), critic_steps=1, device="cpu", capture="off", augment=unchanged,
        adapt=rule, optimizer=wganx.Optimizer(lr=1e-30), constraint=wganx.NoConstraint(), **rules,
    )  # fmt: skip
    samples = [torch.full((ROWS, 2), value) for value in (train, heldout)]
    result = trainer.fit([samples[0]], steps=steps, log_every=1, heldout=wganx.Batch(samples[1]), progress=False)
    return [scalars["augment_strength"] for scalars in result.history]


@settings(max_examples=12, deadline=None)
@given(
    heldout=st.floats(0, 1.5), target=st.floats(0.05, 0.9), most=st.floats(0.1, 1), every=st.integers(1, 4),
    over=st.integers(4, 40),
)  # fmt: skip
def test_the_strength_follows_the_rule_and_stays_in_its_bounds(
    heldout: float, target: float, most: float, every: int, over: int
) -> None:
    rule = wganx.AdaptiveAugmentation(target=target, most=most, every=every, over=over)
    push = min(max((min(max(1 - heldout, 0), 1) - target) / target, -1), 1) * every / over
    wanted = [min(max(push * (step // every), 0), most) for step in range(1, 13)]
    assert still(rule, 1.0, heldout, 12) == pytest.approx(wanted, abs=1e-5)


def test_a_critic_that_tells_nothing_apart_does_not_overfit() -> None:
    rule = wganx.AdaptiveAugmentation(every=1, over=4)
    assert still(rule, -1.0, -2.0, 4) == [0.0] * 4
    assert still(rule, 0.0, 0.0, 4) == [0.0] * 4


@pytest.mark.parametrize("offset", [-50.0, 50.0])
def test_where_scores_lie_is_no_overfitting(offset: float) -> None:
    """The sign of scores, which ADA's rule looks at, is an offset's under this objective: it would always rise."""
    rule = wganx.AdaptiveAugmentation(every=1, over=8)
    assert still(rule, 1.0, 0.9, 4, offset=offset) == still(rule, 1.0, 0.9, 4) == [0.0] * 4
    assert still(rule, 1.0, 0.5, 4, offset=offset) == pytest.approx([1 / 8, 2 / 8, 3 / 8, 4 / 8])


@pytest.mark.parametrize("broken", [float("inf"), float("nan")])
def test_a_reading_that_is_no_number_is_left_out(broken: float, make_trainer: Make, data: Any) -> None:
    trainer = make_trainer(augment=unchanged, adapt=wganx.AdaptiveAugmentation(every=1, over=8))
    adaptation, draws = trainer.training.adaptation, torch.Generator()
    assert adaptation is not None
    trainer.fit(data, steps=1, heldout=wganx.Batch(torch.cat(data)), progress=False)
    before = {name: tensor.clone() for name, tensor in adaptation.tensors().items()}
    adaptation.follow(wganx.Batch(data[0]), wganx.Batch(torch.full((8, 2), broken)), draws)
    assert torch.equal(adaptation.tensors()["gaps"], before["gaps"])
    assert adaptation.tensors()["strength"].isfinite()


def test_packs_are_read_whole() -> None:
    rule = wganx.AdaptiveAugmentation(every=2, over=8)
    assert still(rule, 1.0, 0.0, 4, pack=2) == pytest.approx([0, 0.25, 0.25, 0.5])


def shifted(samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
    return samples + strength * torch.rand(len(samples), 1, generator=rng, device=samples.device)


# So that the critic soon has something to know by heart.
FAST: dict[str, Any] = {"optimizer": wganx.Optimizer(lr=1e-2), "constraint": wganx.GradientPenalty(0.1)}
QUICK = wganx.AdaptiveAugmentation(target=0.1, every=4, over=20)
FAR = wganx.Batch(torch.zeros(24, 2))  # held-out samples that are none of the data's


def fit(make: Make, data: Any, steps: int = 8, log_every: int = 4) -> wganx.Trainer:
    trainer = make(augment=shifted, adapt=QUICK, critic_steps=2, **FAST)
    trainer.fit(data, steps=steps, log_every=log_every, heldout=FAR, progress=False)
    return trainer


def weights_of(trainer: wganx.Trainer) -> dict[str, Tensor]:
    """Weights and the state of the adaptation."""
    found = trainer.checkpoint()
    return {**found.weights, **{name: it for name, it in found.training.items() if name.startswith("augmentation")}}


def assert_same(one: wganx.Trainer, other: wganx.Trainer) -> None:
    expected = weights_of(other)
    for name, tensor in weights_of(one).items():
        assert torch.equal(tensor, expected[name]), name


def test_a_resumed_training_has_the_same_strength_and_weights(make_trainer: Make, data: Any, tmp_path: Any) -> None:
    data = data[:1]  # a list is begun anew
    whole = fit(make_trainer, data)
    assert whole.steps.strength > 0
    fit(make_trainer, data, steps=3).save(tmp_path / "half")  # between two readings
    networks = make_trainer()
    half = wganx.Trainer.load(
        tmp_path / "half", networks.generator, networks.critic, augment=shifted, adapt=QUICK, device="cpu"
    )
    half.fit(data, steps=5, log_every=4, heldout=FAR, progress=False)
    assert_same(half, whole)


def test_a_training_that_had_none_goes_on_from_0(make_trainer: Make, data: Any) -> None:
    before = make_trainer(critic_steps=2, **FAST)
    before.fit(data, steps=3, progress=False)
    after = make_trainer(augment=shifted, adapt=QUICK, critic_steps=2, **FAST)
    after.restore(before.checkpoint())
    assert after.steps.strength == 0
    after.fit(data, steps=8, heldout=FAR, progress=False)
    assert after.steps.strength > 0


def test_how_often_it_is_logged_changes_nothing(make_trainer: Make, data: Any) -> None:
    assert_same(fit(make_trainer, data, log_every=1), fit(make_trainer, data, log_every=50))


def test_a_strength_of_0_trains_the_bits_of_none(make_trainer: Make, data: Any) -> None:
    def moved(samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
        return samples + 100 * strength

    adaptive = make_trainer(augment=moved, adapt=wganx.AdaptiveAugmentation(every=1, over=4))
    # As far out on the other side: the critic reads more on held-out samples than on its own.
    adaptive.fit(data, steps=6, heldout=wganx.Batch(2 * torch.cat(data)), progress=False)
    assert adaptive.steps.strength == 0
    plain = make_trainer()
    plain.fit(data, steps=6, progress=False)
    for name, tensor in plain.checkpoint().weights.items():
        assert torch.equal(tensor, adaptive.checkpoint().weights[name]), name


def test_without_adapt_the_strength_is_1(make_trainer: Make, data: Any) -> None:
    seen: list[float] = []

    def watched(samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
        seen.append(strength.item())
        return samples

    trainer = make_trainer(augment=watched, capture="off")
    result = trainer.fit(data, steps=2, log_every=1, heldout=FAR, progress=False)
    assert set(seen) == {1.0}
    assert "augment_strength" not in result.history[-1]


def test_it_is_logged(make_trainer: Make, data: Any) -> None:
    trainer = make_trainer(augment=shifted, adapt=QUICK, critic_steps=2, **FAST)
    last = trainer.fit(data, steps=8, log_every=4, heldout=FAR, progress=False).history[-1]
    assert last["augment_strength"] == trainer.steps.strength.item() > 0
    assert 0 < last["augment_overfit"] <= 1


def test_a_recorded_step_reads_the_strength_of_now(
    make_trainer: Make, data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .test_execution import Tape, replaced  # type: ignore[import-untyped]

    def all_alike(trainer: wganx.Trainer) -> wganx.Trainer:
        for player in (trainer.steps.critic, trainer.steps.generator):
            player.optimizer = trainer.training.rules.optimizer.build(player.parameters, player.rate, capturable=True)
        trainer.fit(data, steps=14, heldout=FAR, progress=False)
        return trainer

    rules = {"augment": shifted, "adapt": QUICK, "critic_steps": 2, **FAST}
    plain = all_alike(make_trainer(**rules))
    tape = Tape()
    with monkeypatch.context() as patch:
        replaced(patch, tape)
        recorded = all_alike(make_trainer(**rules))
    assert tape.replayed > 0
    assert recorded.training.fallbacks == {}
    assert isinstance(recorded.training._execution, Recorded)
    assert_same(recorded, plain)


@pytest.mark.parametrize("heldout", [None, wganx.Batch(torch.zeros(2, 2))], ids=["none", "fewer than a pack"])
def test_without_held_out_samples_it_is_refused(make_trainer: Make, data: Any, heldout: wganx.Batch | None) -> None:
    class Packs(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = super().forward(x)
            return found

    critic = Packs(nn.Flatten(), nn.Linear(8, 1), nn.Flatten(0))
    trainer = make_trainer(augment=shifted, adapt=QUICK, critic=critic, pack=4)
    have = 0 if heldout is None else 2
    with pytest.raises(
        UsageError, match=rf"reading on held-out samples; it needs 4 or more and there are {have}: hold"
    ):
        trainer.fit(data, steps=1, heldout=heldout, progress=False)


def test_adapt_needs_something_to_adapt(make_trainer: Make) -> None:
    with pytest.raises(UsageError, match="adapt says how strongly augment changes samples; give augment too"):
        make_trainer(adapt=QUICK)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"target": 0.0}, "target must lie between 0 and 1, got 0.0"),
        ({"target": 1.0}, "target must lie between 0 and 1, got 1.0"),
        ({"most": 0.0}, "most must be over 0 and at most 1, got 0.0"),
        ({"most": 1.1}, "most must be over 0 and at most 1, got 1.1"),
        ({"every": 0}, "every must be a whole number of at least 1, got 0"),
        ({"over": 2.5}, "over must be a whole number of at least 1, got 2.5"),
    ],
)
def test_a_rule_out_of_range_is_refused(numbers: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wganx.AdaptiveAugmentation(**numbers)

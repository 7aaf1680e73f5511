"""Checks of constraints, objectives and optimizers, on two small perceptrons whose answers are known."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor, nn

import wganx
from wganx.config.rules import RuleBook
from wganx.plugins.descriptors import ConstraintPart, ObjectivePart, OptimizerPart
from wganx.testing.bench import Bench
from wganx.testing.check import check, fail
from wganx.wasserstein import BatchDistance, Penalty

RulePart = ConstraintPart | ObjectivePart | OptimizerPart


def _class(part: RulePart, bench: Bench) -> type[Any]:
    return RuleBook(bench.catalog).find(part.word, f"{bench.plugin.name}:{part.name}")


def _built(part: RulePart, bench: Bench) -> Any:
    kind = _class(part, bench)
    return kind()


@check("constraint", "objective", "optimizer", name="class", mend="name a class of your own in build")
def is_the_right_class(part: RulePart, bench: Bench) -> None:
    """It is a frozen dataclass of the right base, with the part's own name, and every field has a default."""
    RuleBook(bench.catalog).find(part.word, part.name)
    kind = _class(part, bench)
    if not dataclasses.is_dataclass(kind) or "__dataclass_fields__" not in vars(kind):
        fail(f"{kind.__name__} is no dataclass", "put @dataclass(frozen=True) above the class")
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        fail(f"{kind.__name__} is not frozen", "put @dataclass(frozen=True) above the class")
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            fail(f"its option {field.name!r} has no default", "make it with wganx.option(default, description)")


def _points() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(8, 2, 3, generator=rng)
    return real, torch.randn(8, 2, 3, generator=rng) + 1


def _penalty_on_linear(penalty: Penalty, scale: float, shape: tuple[int, ...]) -> Tensor:
    real, fake = (points.reshape(8, *shape) for points in _points())
    linear = nn.Linear(6, 1)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        linear.weight.normal_()
        linear.weight.mul_(scale / linear.weight.norm())
        linear.bias.zero_()
    critic = nn.Sequential(nn.Flatten(), linear, nn.Flatten(0))
    loss: Tensor = penalty.terms(critic, real, fake, {}, torch.Generator().manual_seed(1)).loss
    return loss


@check("constraint", name="penalty", mend="let terms(critic, real, fake, condition, rng) work on samples of any rank")
def penalty_is_a_norm_a_sample(part: ConstraintPart, bench: Bench) -> str | None:
    """Its penalty is a finite scalar with a gradient, the same whatever the shape of a sample."""
    penalty = _built(part, bench)
    if not isinstance(penalty, Penalty):
        return "it adds no penalty"
    flat, shaped = (_penalty_on_linear(penalty, 3.0, shape) for shape in ((6,), (2, 3)))
    if not isinstance(flat, Tensor) or flat.shape != () or shaped.shape != ():
        fail(f"its penalty has shape {tuple(shaped.shape)}", "reduce it to a scalar, its mean over samples")
    one, other = float(shaped.detach()), float(flat.detach())
    if not math.isfinite(one) or one < 0:
        fail(f"its penalty is {one:.4g} at slope 3", "make it finite, and 0 at least")
    if abs(other - one) > 1e-4 * (1 + abs(other)):
        fail(
            f"its penalty is {one:.4g} for samples (2, 3) and {other:.4g} for the same flattened",
            "take one norm a sample, over all its axes: gradient.flatten(1).norm(dim=1)",
        )
    if not shaped.requires_grad:
        fail("its penalty carries no gradient for the weights", "use wganx.wasserstein.gradient_norms; detach nothing")
    return None


@check("objective", name="losses", mend="let both losses take scores (N,)")
def losses_are_scalars(part: ObjectivePart, bench: Bench) -> None:
    """Both losses are finite scalars; the critic's falls when real scores rise, the generator's when fake scores do."""
    objective = _built(part, bench)
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(16, generator=rng).requires_grad_() for _ in range(2))
    losses = {
        "critic_loss": objective.critic_loss(real, fake),
        "generator_loss": objective.generator_loss(fake, real.detach() if objective.generator_needs_real else None),
    }
    for name, loss in losses.items():
        if not isinstance(loss, Tensor) or loss.shape != () or not bool(torch.isfinite(loss)):
            seen = f"of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
            fail(f"{name} is {seen}", "return a finite scalar, a mean over scores")
        if not loss.requires_grad:
            fail(f"{name} carries no gradient", "detach nothing")
    if isinstance(objective, BatchDistance):
        return  # it compares batches, and knows no scores that are to rise
    rises = [
        ("critic_loss", real, "real"),
        ("generator_loss", fake, "fake"),
    ]
    for name, scores, side in rises:
        (slope,) = torch.autograd.grad(losses[name], scores, retain_graph=True)
        if float(slope.sum()) > 0:
            fail(f"{name} rises with the {side} scores", "turn its sign around: the critic scores real samples high")


@check(
    "constraint",
    "objective",
    "optimizer",
    name="trains",
    mend="try it: wganx.Trainer(generator, critic, ...)",
    trains=True,
)
def rule_trains(part: RulePart, bench: Bench) -> None:
    """It trains two small perceptrons for a few steps; both move, and stay finite."""
    from wganx.engine import Trainer

    rule = _built(part, bench)
    rng = torch.Generator().manual_seed(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
        critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Flatten(0))
        settings: dict[str, Any] = {"noise": (4,), "device": "cpu", "capture": "off", part.word: rule}
        if getattr(rule, "trains_critic", True):
            if part.word != "constraint":
                settings["constraint"] = wganx.GradientPenalty()
            settings["critic_steps"] = 2
            trainer = Trainer(generator, critic, **settings)
        else:
            trainer = Trainer(generator, None, **settings)
    before = [weight.detach().clone() for weight in trainer.training.steps.generator.module.parameters()]
    trainer.fit([torch.randn(8, 2, generator=rng) for _ in range(4)], steps=3, progress=False)
    after = [weight.detach() for weight in trainer.training.steps.generator.module.parameters()]
    if not all(bool(torch.isfinite(weight).all()) for weight in after):
        fail("after 3 steps a weight is not finite", "mend what it computes")
    if all(torch.equal(one, other) for one, other in zip(before, after)):
        fail("after 3 steps no weight has moved", "let its update change the weights")

"""Health checks of every training: what goes wrong, how it is noticed, and what the user does about it.

Codes that stop a training are raised where they are noticed: WX001, WX003, WX004, WX005 before the first step
(`preflight`), WX021 at a non-finite value (`loop`). WX050 reads the clock and is told by the run's recorder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from wganx.engine.proportion import out_of_proportion
from wganx.engine.proportion import reading_of as _reading
from wganx.health import Finding, HealthCheck, Vitals
from wganx.switches import switches_kept
from wganx.wasserstein import BatchDistance, ByConstruction, Constraint, Objective, Orthogonal

_WARM_UP = (5, 100)  # logging points and steps before the course of a training is judged
_ALL_IS_WELL = frozenset({"WX012"})
_DECAY = 0.8  # of the running means over logging points


class HealthMonitor:
    """Runs the checks at every logging point; its `memory` is plain data and travels with the checkpoints."""

    def __init__(self, checks: Sequence[HealthCheck]) -> None:
        self.checks = list(checks)
        self.memory: dict[str, dict[str, float]] = {}

    def look(self, vitals: Vitals) -> list[Finding]:
        """What begins to be wrong at this logging point, and what no longer is."""
        findings = []
        # What says that all is well comes last, and only where nothing says that it is not.
        for check in sorted(self.checks, key=lambda check: check.code in _ALL_IS_WELL):
            # By code and name: two plugins may have chosen the same code.
            memory = self.memory.setdefault(f"{check.code} {check.name}", {"streak": 0, "active": 0})
            try:
                with switches_kept():
                    text = check.factory("inspect")(replace(vitals, memory=memory))
                if text and not isinstance(text, str):
                    raise TypeError(f"inspect returned {text!r}, and says one sentence or None")
            except (Exception, SystemExit) as error:
                text = f"health check {check.name!r} failed: {type(error).__name__}: {error}"
                self.checks = [other for other in self.checks if other is not check]
                findings.append(Finding(step=vitals.step, code=check.code, level="info", text=text, mend="report it"))
                continue
            if check.code in _ALL_IS_WELL and self._amiss():
                text = None
            memory["streak"] = memory["streak"] + 1 if text else 0
            begins = text and not memory["active"] and memory["streak"] >= check.patience
            if begins or (memory["active"] and not text):
                memory["active"] = int(bool(text))
                findings.append(
                    Finding(step=vitals.step, code=check.code, level=check.level, text=text or None, mend=check.mend)
                )
        return findings

    def standing(self) -> list[HealthCheck]:
        """The checks that void the result as it is now."""
        return [check for check in self.checks if check.level == "bad" and self._of(check).get("active")]

    def _amiss(self) -> bool:
        """Whether something is wrong, or may be about to be told."""
        return any(
            self._of(check).get("active") or (check.level == "bad" and self._of(check).get("streak"))
            for check in self.checks
            if check.level != "info"
        )

    def _of(self, check: HealthCheck) -> Mapping[str, float]:
        return self.memory.get(f"{check.code} {check.name}", {})


def standard_checks(objective: Objective, constraint: Constraint) -> list[HealthCheck]:
    """The checks that apply to any kind of sample under these rules."""
    if not objective.trains_critic:
        return [_FEW_VALUES, replace(_COLLAPSE, mend=_WITHOUT_CRITIC), _COPIED, replace(_CONTEXT_IGNORED, mend=_APART)]
    reads_w1 = objective.reads_w1 and constraint.reads_w1
    checks = [_FEW_VALUES, _SCORE_OFFSET, _FLAT_CRITIC, _COLLAPSE, _OVERFIT, _SATURATION, _COPIED, _CONTEXT_IGNORED]
    if isinstance(constraint, Orthogonal | ByConstruction):
        mend = "its forward does more than its layers do (a shortcut, a product): leave that out, or use a penalty"
        checks.append(replace(_INACTIVE, patience=1, inspect=_broken_bound(constraint), mend=mend))
    elif objective.reads_w1:
        checks.append(_INACTIVE)
    if isinstance(objective, BatchDistance):  # it knows features and no scores
        checks = [check for check in checks if check not in (_SCORE_OFFSET, _FLAT_CRITIC, _OVERFIT)]
    if objective.reads_w1:
        checks.append(_NEGATIVE)
    if reads_w1:
        checks += [_SHRINKING, _EXPLODING]
    return sorted(checks, key=lambda check: check.code)


def _running_mean(vitals: Vitals, name: str, value: float) -> float:
    """The mean of `value` over the latest logging points, kept in the check's memory."""
    memory = vitals.memory
    memory[name] = value if name not in memory else _DECAY * memory[name] + (1 - _DECAY) * value
    return memory[name]


def _settled(vitals: Vitals, warm_ups: int = 1) -> bool:
    """Whether the check has seen enough of the training to judge its course; counts the points it looks at."""
    points, steps = _WARM_UP
    vitals.memory["points"] = vitals.memory.get("points", 0) + 1
    return vitals.memory["points"] >= warm_ups * points and vitals.step >= warm_ups * steps


def _inactive(vitals: Vitals) -> str | None:
    slope = vitals.scalars["gradient_norm_interpolated"]
    penalties = [value for name, value in vitals.scalars.items() if name.split("/")[0] == "penalty"]
    if slope > 10 and not any(penalties) and "vital/saturation" not in vitals.scalars:
        return f"the critic's mean gradient norm is {slope:.3g} and nothing holds it back: the penalty adds 0"
    return None


def _broken_bound(constraint: Constraint) -> Callable[[Vitals], str | None]:
    def inspect(vitals: Vitals) -> str | None:
        steepest = vitals.scalars["lipschitz"]
        if steepest > 1.01:
            return f"the critic has slope {steepest:.4g} where {constraint.name!r} promises at most 1"
        return None

    return inspect


_INACTIVE = HealthCheck(
    name="constraint-inactive", code="WX002", level="bad", patience=2, inspect=_inactive,
    summary="nothing keeps the critic's slope small",
    mend="choose a constraint (constraint.name=gradient-penalty) or mend the one of your own: its terms must carry a "
    "gradient for the critic's weights",
)  # fmt: skip


def _few_values(vitals: Vitals) -> str | None:
    memory = vitals.memory
    if "values" not in memory:
        memory["values"] = torch.unique(vitals.real).numel() if vitals.real.numel() >= 1000 else 1000
    if memory["values"] <= 3:
        return f"samples take {int(memory['values'])} different values only: they may have been cast to integers"
    return None


_FEW_VALUES = HealthCheck(
    name="few-values", code="WX005", inspect=_few_values,
    summary="samples take very few values",
    mend="scale before casting: floating point first, then into the range; leave it if samples are black and white",
)  # fmt: skip


def _score_offset(vitals: Vitals) -> str | None:
    scalars = vitals.scalars
    offset, spread = scalars["vital/score_offset"], scalars["vital/score_spread"]
    if abs(offset) > 20 * max(abs(_reading(scalars) or 0.0), spread, 1e-6):
        return f"scores lie around {offset:.3g}, far from 0: the generator's loss follows that offset and means nothing"
    return None


_SCORE_OFFSET = HealthCheck(
    name="score-offset", code="WX010", level="info", patience=3, inspect=_score_offset,
    summary="scores lie far from 0, so losses mean nothing",
    mend="read w1_corrected instead of a loss; constraint.drift=0.001 keeps scores near 0",
)  # fmt: skip


def _negative(vitals: Vitals) -> str | None:
    reading = _reading(vitals.scalars)
    if reading is None:
        return None
    mean = _running_mean(vitals, "reading", reading)
    # Around 0 where the distance is small, noise alone turns the sign.
    peak = vitals.memory["peak"] = max(vitals.memory.get("peak", 0.0), mean)
    if _settled(vitals) and mean < -0.1 * peak:
        return f"the critic's reading has been negative ({mean:.3g} on average): it rates fakes above real samples"
    return None


_NEGATIVE = HealthCheck(
    name="negative-reading", code="WX011", patience=5, inspect=_negative,
    summary="the critic's reading stays negative",
    mend="the critic does not keep up: raise train.critic_steps, or give it a higher rate (optimizer.critic_lr)",
)  # fmt: skip


def _shrinking(vitals: Vitals) -> str | None:
    if out_of_proportion(vitals.scalars):
        return None  # neither a peak nor a way down from one
    mean = _running_mean(vitals, "reading", _reading(vitals.scalars) or 0.0)
    peak = max(vitals.memory.get("peak", 0.0), mean)
    if peak > vitals.memory.get("peak", 0.0):
        vitals.memory["peak_step"] = vitals.step
    vitals.memory["peak"] = peak
    if _settled(vitals, 2) and 0 < mean < 0.7 * peak:
        at = int(vitals.memory["peak_step"])
        return f"the reading rose to {peak:.3g} until step {at} and has been shrinking since, as it should"
    return None


_SHRINKING = HealthCheck(
    name="shrinking-reading", code="WX012", level="info", inspect=_shrinking,
    summary="the reading shrinks after its peak: healthy",
    mend="nothing to mend: the critic found the difference, and the generator closes it",
)  # fmt: skip


_EXPLODING = HealthCheck(
    name="exploding-critic", code="WX020", level="bad", patience=3,
    inspect=lambda vitals: out_of_proportion(vitals.scalars),
    summary="reading or slope out of all proportion",
    mend="raise constraint.weight, lower the learning rate (optimizer.lr), keep samples in [-1, 1], "
    "or add constraint.drift=0.001",
)  # fmt: skip


def _flat(vitals: Vitals) -> str | None:
    scalars = vitals.scalars
    slope, spread = scalars["gradient_norm_interpolated"], scalars["vital/score_spread"]
    if slope < 0.1 and spread < 0.01 * scalars["vital/spread_real"]:
        return f"the critic is flat (mean gradient norm {slope:.2g}): the generator learns nothing from it"
    return None


_FLAT_CRITIC = HealthCheck(
    name="flat-critic", code="WX022", patience=3, inspect=_flat,
    summary="the critic has no slope",
    mend="lower the learning rate, use leaky activations in the critic, or, under clip, another constraint",
)  # fmt: skip


def _collapse(vitals: Vitals) -> str | None:
    scalars = vitals.scalars
    ratio = scalars["vital/spread_fake"] / max(scalars["vital/spread_real"], 1e-12)
    before = vitals.memory.get("ratio", ratio)
    _running_mean(vitals, "ratio", ratio)
    # A generator that starts narrow and widens is only young.
    if _settled(vitals) and ratio < 0.5 and ratio <= 1.02 * before:
        return f"fakes lie {ratio:.2g} times as far from each other as real samples: the generator repeats itself"
    return None


_COLLAPSE = HealthCheck(
    name="collapse", code="WX030", patience=5, inspect=_collapse,
    summary="samples resemble each other far more than real ones do",
    mend="raise train.critic_steps, choose objective.name=wasserstein with a penalty, and look at the previews",
)  # fmt: skip


def _overfit(vitals: Vitals) -> str | None:
    scalars = vitals.scalars
    name = next((name for name in ("w1_heldout", "score_gap_heldout") if name in scalars), None)
    if name is None:
        return None
    # Both gaps are of this moment: the logged reading is a mean over a window in which the game went on.
    train = _running_mean(vitals, "train", scalars["vital/gap"])
    heldout = _running_mean(vitals, "heldout", scalars[name])
    # Held-out samples stay the same; batches change, so that their noise averages out to a third.
    batch_error = scalars["vital/score_spread"] * math.sqrt(2 / len(vitals.real)) / 3
    noise = 3 * math.hypot(scalars["vital/heldout_error"], batch_error)
    if _settled(vitals, 2) and train > 0 and train - heldout > max(0.3 * train, noise):
        return f"the critic reads {train:.3g} on training samples and {heldout:.3g} on held-out ones: it overfits"
    return None


_OVERFIT = HealthCheck(
    name="critic-overfits", code="WX031", patience=3, inspect=_overfit,
    summary="the critic knows its training samples by heart",
    mend="more data, augmentation, or a smaller critic; stop where the held-out reading is least",
)  # fmt: skip


def _saturated(vitals: Vitals) -> str | None:
    share = vitals.scalars.get("vital/saturation", 0.0)
    return f"{share:.0%} of the critic's weights are at the clipping limit" if share > 0.9 else None


_SATURATION = HealthCheck(
    name="clip-saturation", code="WX032", patience=2, inspect=_saturated,
    summary="most weights at the clipping limit",
    mend="use constraint.name=gradient-penalty: a saturated critic is close to one linear function a layer",
)  # fmt: skip


def _copied(vitals: Vitals) -> str | None:
    share = vitals.scalars.get("vital/copied", 1.0)
    return (
        f"samples lie {share:.1%} of the way from their source to the target: the input is copied"
        if share < 0.05
        else None
    )


_WITHOUT_CRITIC = (
    "raise train.batch_size, of which a distance of batches sees more; where modes are many or samples as unlike as "
    "pictures, let a critic's features be compared (objective.features=critic), or train one on its scores"
)

_COPIED = HealthCheck(
    name="copied-input", code="WX042", patience=5, inspect=_copied,
    summary="a translation returns its input",
    mend="raise train.critic_steps, or lower the weight of the losses that hold the output at the input",
)  # fmt: skip


def _ignored(vitals: Vitals) -> str | None:
    effect = vitals.scalars.get("vital/context_effect", 1.0)
    return (
        f"a change of context moves samples by {effect:.2g} of their spread: the generator ignores it"
        if effect < 0.02
        else None
    )


_CONTEXT_IGNORED = HealthCheck(
    name="context-ignored", code="WX043", patience=5, inspect=_ignored,
    summary="the generator ignores its context",
    mend="show the critic the condition by a projection head (wganx.nn.ProjectionHead), and let the generator mix it "
    "into every layer (wganx.nn.ConditionalNorm)",
)  # fmt: skip

_APART = (
    "raise train.batch_size: rows of unlike context help a distance of batches to tell them apart; and let the "
    "generator mix it into every layer (wganx.nn.ConditionalNorm)"
)
_DATA_SHARE = 0.5  # of the time


def slow_data(shares: Mapping[str, float]) -> str | None:
    """WX050: what to say when training mostly waits for its data; `shares` of the time by part."""
    share = shares.get("data", 0.0)
    if share <= _DATA_SHARE:
        return None
    return f"WX050 {share:.0%} of the time goes into reading data; dataset.feed=resident or dataset.pack=always help"

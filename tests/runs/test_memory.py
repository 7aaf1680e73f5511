"""The plan of a training's memory against what steps of the scenarios' networks then use, helpers included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.allocations import peak
from wganx.config import resolve
from wganx.engine.planning.memory import plan_memory
from wganx.runs.assembly import Assembly

ROWS = 24
SMALL = {"train.batch_size": ROWS, "dataset.count": 48}
WIDE = {"generator.width": 16, "critic.width": 16}
"""A whole block of channels: of fewer, oneDNN pads its copies, which no plan counts."""
SCENARIOS: list[tuple[str, str, dict[str, Any]]] = [
    ("audio", "digits-tiny", {}),
    ("audio", "wavegan-tiny", {}),
    ("audio", "multilingual-tiny", {}),
    ("audio", "voice-conversion-tiny", {}),
    ("video", "prediction-tiny", {"generator.noise": 2, "task.futures": 3}),
    ("video", "prediction-tiny", {"critic.crop": 8, "critic.halvings": 2}),
    ("video", "interpolation-tiny", {}),
    ("video", "interpolation-tiny", {"critic.name": "spacetime"}),
    ("video", "super-resolution-tiny", {"task.consistency": 0.5}),
    ("video", "super-resolution-tiny", {"critic.name": "spacetime"}),
]


@pytest.mark.parametrize(("plugin", "scenario", "changes"), SCENARIOS)
def test_the_plan_is_what_is_then_used(plugin: str, scenario: str, changes: dict[str, Any]) -> None:
    assembly = Assembly(resolve(plugin=plugin, scenario=scenario, overrides={**SMALL, **WIDE, **changes}))
    steps, stream = assembly.trainer.steps, assembly.stream
    batch = stream.make_batch(stream.feed.next())
    plan = plan_memory(assembly.trainer.training, batch)
    assert plan.followed
    assert (plan.helpers > 0) == (scenario == "voice-conversion-tiny")
    asked = [batch.real, *batch.context.values(), *batch.condition.values(), *batch.known.values()]
    assert plan.batches == 2 * sum(tensor.nbytes for tensor in asked)

    def critic() -> None:
        steps.critic_updates = 0
        steps.update_critic([batch], 0)

    def generator() -> None:
        steps.update_generator([batch], 0)

    critic()
    generator()
    assert plan.critic_step == pytest.approx(peak(critic), rel=0.15)
    assert plan.generator_step == pytest.approx(peak(generator), rel=0.15)
    stream.close()

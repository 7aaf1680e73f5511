"""The plan of a training's memory against what steps of audio's networks then use, helpers included."""

from __future__ import annotations

import pytest
from torch.profiler import ProfilerActivity, profile

from wganx.config import resolve
from wganx.engine.planning.memory import plan_memory
from wganx.runs.assembly import Assembly

ROWS = 24
WIDE = {"generator.width": 16, "critic.width": 16}
"""A whole block of channels: of fewer, oneDNN pads its copies, which no plan counts."""


def peak(work) -> int:
    """Bytes that torch's allocator has handed out beside what was there before, at their most."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as record:
        work()
    events = [event for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    alive = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        alive += event.nbytes()
        most = max(most, alive)
    return most


@pytest.mark.parametrize("scenario", ["digits-tiny", "wavegan-tiny", "multilingual-tiny", "voice-conversion-tiny"])
def test_the_plan_is_what_is_then_used(scenario: str) -> None:
    overrides = {"train.batch_size": ROWS, "dataset.count": 48, **WIDE}
    assembly = Assembly(resolve(plugin="audio", scenario=scenario, overrides=overrides))
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

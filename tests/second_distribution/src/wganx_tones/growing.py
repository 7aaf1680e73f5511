"""Networks that grow, and a game whose loss has a ramp: what changes with the number of the step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from wganx import Architecture, Config, Scenario, Task, hookimpl

WGANX_API = 1
WGANX_EXTENDS = ("tones",)


class GrowingConfig(Config):
    """Every stage doubles the resolution, and fades in over as many steps as it then stands."""

    width: int = Field(16, ge=1)
    stage_steps: int = Field(4, ge=1, description="steps of a fade, and of standing still behind it")


class RampConfig(Config):
    """The weight of the loudness term rises from 0 to `weight` over `steps`."""

    weight: float = Field(1.0, ge=0)
    steps: int = Field(8, ge=1)


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    for role in ("generator", "critic"):
        yield Architecture(
            name="growing",
            modality="tone",
            role=role,
            summary="grows from a quarter of the resolution",
            config=GrowingConfig,
            build=f"wganx_tones.growing_networks:Growing{role.capitalize()}",
        )


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="ramped",
            modality="tone",
            summary="sound from noise, with a loudness term that sets in slowly",
            config=RampConfig,
            build="wganx_tones.growing_networks:Ramped",
        )
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    config: Mapping[str, object] = {
        "dataset": {"name": "sines"},
        "task": {"name": "ramped"},
        "generator": {"name": "growing", "noise": 8},
        "critic": {"name": "growing"},
        "train": {"steps": 20, "batch_size": 8, "critic_steps": 1, "ema": 0.5},
        "log": {"every": 5},
        "preview": {"every": 10, "count": 4},
        "checkpoint": {"every": 2, "keep": 20},
        "evaluate": {"n": 16},
    }
    return [Scenario(name="growing", modality="tone", summary="grows, in seconds", config=config)]


def stage_and_share(step: int, stage_steps: int, stages: int) -> tuple[int, float]:
    """Which stage a step belongs to, and how far it has faded in: 1 where it stands still."""
    stage, into = divmod(step, 2 * stage_steps)
    if stage >= stages:
        return stages - 1, 1.0
    return stage, 1.0 if stage == 0 else min((into + 1) / stage_steps, 1.0)

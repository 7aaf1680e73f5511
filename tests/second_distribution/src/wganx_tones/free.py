"""Samples of any length, and a critic that judges pairs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from wganx import Architecture, Formats, Game, Task, hookimpl
from wganx_tones.configs import ConvConfig, DenoiseConfig

WGANX_API = 1
WGANX_EXTENDS = ("tones",)


def any_length(config: DenoiseConfig, formats: Formats) -> Game:
    """`denoise` for sound of any length, which a batch of training shares."""
    from wganx_tones.denoise import Denoise

    game = Denoise(config, formats)
    game.sample = replace(game.sample, shape=(1, None))
    game.context = game.condition = {"noisy": replace(game.context["noisy"], shape=(1, None))}
    return game


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [Task(name="any-length", modality="tone", summary="any length", config=DenoiseConfig, build=any_length)]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return [
        Architecture(
            name="patches",
            modality="tone",
            role="critic",
            summary="the mean over all places of a sound of any length",
            config=ConvConfig,
            build="wganx_tones.free_networks:PatchCritic",
        ),
        Architecture(
            name="pairs",
            modality="tone",
            role="critic",
            summary="two tones at a time, which shows whether they are always the same",
            config=ConvConfig,
            build="wganx_tones.free_networks:PairCritic",
            couples_rows=2,
        ),
    ]

"""Small sounds whose labels can be heard: glides that say a word, in voices of different overtones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
import wganx_audio
from torch import Tensor
from wganx_audio.configs.judges import LabelsConfig
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.datasets.sounds import stored_sound
from wganx_audio.judges.evaluator import labels
from wganx_audio.representations import describe, fit_moments, representation_of

from wganx import Batch, Config, ExtractorContext, Formats, Game, Items, MetricContext, SampleFormat, Sides, Split
from wganx.data import ArrayItems
from wganx.evaluation import Features

RATE, LENGTH = 8000, 4096
WORDS = ("rise", "fall", "arch", "steady")
SPEAKERS = ("flute", "reed", "brass")


def glides(count: int, seed: int, words: tuple[int, ...] = (0, 1, 2, 3)) -> dict[str, Tensor]:
    """`count` sounds int16 ``(N, 1, L)`` with their labels, all in turn."""
    rng = torch.Generator().manual_seed(seed)
    word = torch.tensor(words)[torch.arange(count) % len(words)]
    speaker = torch.arange(count) // len(words) % len(SPEAKERS)
    time = torch.linspace(0, 1, LENGTH)
    course = torch.stack([time, 1 - time, 1 - (2 * time - 1).abs(), torch.full_like(time, 0.5)])[word]
    hertz = 250 * (1 + 0.1 * torch.randn(count, 1, generator=rng)) * 2 ** (1.5 * course)
    turn = (2 * torch.pi * hertz / RATE).cumsum(1)
    overtones = torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.7, 0.0], [0.5, 0.5, 0.5, 0.5]])[speaker]
    wave = sum(overtones[:, each : each + 1] * ((each + 1) * turn).sin() for each in range(4))
    envelope = torch.hann_window(LENGTH).sqrt() * (1 + 0.1 * torch.randn(count, 1, generator=rng))
    wave = 0.2 * wave * envelope + 0.002 * torch.randn(count, LENGTH, generator=rng)
    return {"sample": (wave[:, None] * 32767).round().clamp(-32768, 32767).short(), "word": word, "speaker": speaker}


FORMATS = {
    "sample": stored_sound(1, LENGTH, RATE),
    "word": SampleFormat.label(WORDS),
    "speaker": SampleFormat.label(SPEAKERS),
}


class Sounds(Game):
    """Sounds as they are, or their spectrograms, with all labels chosen."""

    def __init__(self, items: Items, **options: object) -> None:
        config = RepresentationConfig.model_validate(options)
        moments = dict(fit_moments(config, Formats(items.formats), items))
        self.sample = describe(config, items.formats["sample"], moments or None)
        self.representation = representation_of(self.sample)
        self.context = self.condition = Formats(items.formats).labels

    def batch(self, items: dict[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        given = {name: rows for name, rows in items.items() if name != "sample"}
        return Batch(self.representation.encode(items["sample"].float() / 32768), given, given)

    def baselines(self) -> dict[str, object]:
        return {}


@dataclass(frozen=True)
class Bench:
    """All that a metric needs."""

    game: Game
    items: Callable[[Split], Items]
    context: MetricContext
    real: Batch
    reference: Batch

    def numbers(self, metric: str, candidate: Batch, truth: Batch | None = None) -> dict[str, float]:
        """What a metric of the plugin finds."""
        (found,) = [each for each in wganx_audio.wganx_metrics() if each.name == metric]
        sides = Sides(candidate, self.real if truth is None else truth, self.reference)
        return dict(found.factory("compute")(sides, self.context))


@pytest.fixture(scope="session")
def opened() -> dict[Split, Items]:
    return {"train": ArrayItems(glides(240, 0), FORMATS), "heldout": ArrayItems(glides(96, 1), FORMATS)}


def extractor_context(game: Game, opened: dict[Split, Items], seed: int = 0) -> ExtractorContext:
    """As an evaluation makes it; what is learnt is kept nowhere."""
    return ExtractorContext(
        game=game, items=opened.__getitem__, keep=lambda learn: learn(), device=torch.device("cpu"), seed=seed
    )


def bench(opened: dict[Split, Items], updates: int = 80, **options: object) -> Bench:
    game = Sounds(opened["train"], **options)
    given = extractor_context(game, opened)

    def load(name: str) -> torch.nn.Module:
        if name == "labels":
            return labels(LabelsConfig(updates=updates), given)
        (found,) = [each for each in wganx_audio.wganx_extractors() if each.name == name]
        return found.factory("load")(Config(), given)

    features = Features(load, torch.device("cpu"))
    rng = torch.Generator()
    train, heldout = (game.batch(opened[split].tensors, rng, training=False) for split in ("train", "heldout"))
    context = MetricContext(
        config=Config(), game=game, items=opened.__getitem__, features=features,
        training=lambda extractor: features(extractor, train),
    )  # fmt: skip
    return Bench(game, opened.__getitem__, context, heldout[:48], heldout[48:])


@pytest.fixture(scope="session")
def waveforms(opened: dict[Split, Items]) -> Bench:
    """A bench of sounds as they are, with an evaluator that has learnt."""
    return bench(opened, representation="waveform")

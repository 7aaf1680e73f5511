"""Films: datasets of clips, and networks that foretell frames, make those between, and make them larger.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wganx import Architecture, DataCard, Dataset, Extractor, HealthCheck, Metric, Modality, Scenario, Task, hookimpl
from wganx_video.configs.datasets import BouncingDigitsConfig, MovingMnistConfig, SpritesConfig
from wganx_video.configs.films import FILM, INTERPOLATE_FILM, PREDICT_FILM
from wganx_video.configs.networks import FoldedCriticConfig, FoldnetGeneratorConfig, SpacetimeCriticConfig
from wganx_video.configs.tasks import InterpolateConfig, PredictConfig, UpscaleConfig

WGANX_API = 1


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="video",
            summary="clips",
            axes=("frame", "channel", "height", "width"),
            write="wganx_video.writers:write_clips",
            preview="wganx_video.writers:preview_clips",
            open="wganx_video.video.streams:VideoSource",
            create="wganx_video.video.streams:VideoSink",
            folder_is_one="wganx_video.video.frames:is_film",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    yield Dataset(
        name="bouncing-digits",
        modality="video",
        summary="handwritten digits that bounce off the edges, made when it starts",
        config=BouncingDigitsConfig,
        open="wganx_video.datasets.bouncing_digits:open_bouncing_digits",
        card=DataCard(source="the digits of scikit-learn (UCI)", licence="CC BY 4.0", offline=True, size="2,000 clips"),
    )
    yield Dataset(
        name="sprites",
        modality="video",
        summary="coloured shapes that move over a slope of colour, made when it starts",
        config=SpritesConfig,
        open="wganx_video.datasets.sprites:open_sprites",
        card=DataCard(source="drawn when opened, by the seed", licence="MIT", offline=True, size="2,000 clips"),
    )
    yield Dataset(
        name="moving-mnist",
        modality="video",
        summary="MNIST's digits that bounce, and the published test clips where they are",
        config=MovingMnistConfig,
        open="wganx_video.datasets.moving_mnist:open_moving_mnist",
        card=DataCard(
            source="MNIST (LeCun, Cortes, Burges); Srivastava et al. 2015",
            licence="CC BY-SA 3.0",
            offline=False,
            size="10,000 clips",
        ),
    )


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="predict",
            modality="video",
            summary="frames to come from those before them",
            config=PredictConfig,
            applied=PREDICT_FILM,
            build="wganx_video.tasks.predict:Predict",
            fit="wganx_video.tasks.predict:fit_prediction",
        ),
        Task(
            name="interpolate",
            modality="video",
            summary="frames between others, at fixed places or any time",
            config=InterpolateConfig,
            applied=INTERPOLATE_FILM,
            build="wganx_video.tasks.interpolate:Interpolate",
        ),
        Task(
            name="upscale",
            modality="video",
            summary="frames twice to eight times as large",
            config=UpscaleConfig,
            applied=FILM,
            build="wganx_video.tasks.upscale:Upscale",
        ),
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return [
        Architecture(
            name="foldnet",
            modality="video",
            role="generator",
            summary="frames of frames of any size, from what is known without learning; time as channels",
            config=FoldnetGeneratorConfig,
            build="wganx_video.networks.foldnet:FoldNet",
        ),
        Architecture(
            name="folded",
            modality="video",
            role="critic",
            summary="frames of any size beside those given; time as channels",
            config=FoldedCriticConfig,
            build="wganx_video.networks.critics:FoldedCritic",
        ),
        Architecture(
            name="spacetime",
            modality="video",
            role="critic",
            summary="frames of any size beside those given; convolutions over time, for a GPU",
            config=SpacetimeCriticConfig,
            build="wganx_video.networks.critics:SpacetimeCritic",
        ),
    ]


@hookimpl
def wganx_extractors() -> Iterable[Extractor]:
    return []


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return []


@hookimpl
def wganx_health_checks() -> Iterable[HealthCheck]:
    return []


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "prediction": "five frames to come from five, in about two minutes",
        "prediction-tiny": "prediction in seconds, for tests",
        "prediction-gpu": "ten frames to come from ten at 64 px, for a GPU",
        "interpolation": "the frames between others, in about two minutes",
        "interpolation-tiny": "interpolation in seconds, for tests",
        "interpolation-gpu": "the frame at any time between two at 64 px, for a GPU",
        "super-resolution": "frames twice as large, in about two minutes",
        "super-resolution-tiny": "super-resolution in seconds, for tests",
        "super-resolution-gpu": "frames four times as large, 64 px, for a GPU",
    }.items():
        yield Scenario(name=name, modality="video", summary=summary, config=folder / f"{name}.yaml")

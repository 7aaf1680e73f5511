"""Films: datasets of clips, and networks that foretell frames, make those between, and make them larger.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from wganx import Architecture, DataCard, Dataset, Extractor, HealthCheck, Metric, Modality, Scenario, Task, hookimpl
from wganx_video.configs.datasets import (
    CORPORA,
    FILMS,
    FRAMES,
    MENDS,
    BouncingDigitsConfig,
    FolderConfig,
    MovingMnistConfig,
    SpritesConfig,
)
from wganx_video.configs.films import FILM, INTERPOLATE_FILM, PREDICT_FILM
from wganx_video.configs.judges import FuturesConfig, I3dConfig, LpipsConfig, PixelsConfig
from wganx_video.configs.layouts import LAYOUTS
from wganx_video.configs.networks import FoldedCriticConfig, FoldnetGeneratorConfig, SpacetimeCriticConfig
from wganx_video.configs.tasks import InterpolateConfig, PredictConfig, UpscaleConfig

WGANX_API = 1

_RESIZE = "frames whose size is another by antialiased bicubic interpolation, as dataset.size and dataset.fit say"


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
            turned_back="A sample is a clip, frame by frame, each channel by channel and row by row from the top: x * "
            "255, rounded, are its values from 0 to 255. In the signal, `given` and `made` are the places "
            "in time of the frames that go in and come out, and `scale` is how much larger the latter "
            "are.",
            folder_is_one="wganx_video.video.frames:is_film",
            notice="What is made here is synthetic: no camera saw it, people in it may be made up, and what comes "
            "between, behind or into real frames is a guess and no evidence. Learn from films of people, and change "
            "them, only with their consent, and say of what you publish that it is synthetic.",
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
        layout=LAYOUTS["moving-mnist"],
    )
    yield Dataset(
        name="folder",
        modality="video",
        summary="your own films, folders of frames or arrays, in a folder or a .zip archive of one",
        config=FolderConfig,
        open="wganx_video.datasets.folder:open_folder",
        fit="wganx_video.datasets.folder:fit_folder",
        listing="wganx_video.datasets.folder:list_folder",
        layout=LAYOUTS["folder"],
        card=DataCard(source="your own files", licence="yours", offline=True),
        folder=True,
        suffixes=(*FILMS, *FRAMES),
        mends=MENDS,
        probe="wganx_video.video.probing:probe",
        resize=_RESIZE,
    )
    for name, (place, config, summary, source, licence, size) in CORPORA.items():
        corpus = f"wganx_video.datasets.corpora.{place}"
        yield Dataset(
            name=name,
            modality="video",
            summary=summary,
            config=config,
            open=f"{corpus}.open",
            fit=f"{corpus}.fit",
            listing=f"{corpus}.listing",
            layout=LAYOUTS[name],
            card=DataCard(source=source, licence=licence, offline=False, size=size),
            suffixes=(*FILMS, *FRAMES),
            mends=MENDS,
            probe="wganx_video.video.probing:probe",
            resize=_RESIZE,
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
    return [
        Extractor(
            name="lpips",
            modality="video",
            summary="differences that people see, by LPIPS; a weights file of yours",
            load="wganx_video.judges.perception:lpips",
            config=LpipsConfig,
            card=DataCard(
                source="torchvision's AlexNet or VGG-16, LPIPS 0.1 (Zhang et al. 2018)", licence="BSD", offline=False,
                size="244 or 553 MB",
            ),
        ),
        Extractor(
            name="i3d",
            modality="video",
            summary="what happens in films, by I3D; a weights file of yours",
            load="wganx_video.judges.motion:i3d",
            config=I3dConfig,
            card=DataCard(
                source="I3D (Carreira and Zisserman 2017)", licence="Apache-2.0", offline=False, size="50 MB"
            ),
        ),
    ]  # fmt: skip


def _of_pixels(better: Literal["lower", "higher"], *values: str) -> dict[str, Literal["lower", "higher"]]:
    """In colours, and in luma."""
    return {f"{value}{suffix}": better for suffix in ("", "_y") for value in values}


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="error",
            modality="video",
            summary="squared and absolute errors: summed over a frame as OpenSTL does, and per pixel",
            compute="wganx_video.judges.fidelity:error",
            config=PixelsConfig,
            better=_of_pixels("lower", "mse", "mae", "mse_pixel", "mae_pixel"),
            decisive=True,
        ),
        Metric(
            name="psnr",
            modality="video",
            summary="peak signal-to-noise ratio in dB: the mean of frames, and of all errors at once",
            compute="wganx_video.judges.fidelity:psnr",
            config=PixelsConfig,
            better=_of_pixels("higher", "psnr", "psnr_global"),
            decisive=True,
        ),
        Metric(
            name="ssim",
            modality="video",
            summary="structural similarity: by a Gaussian window, and as in OpenSTL's tables (legacy)",
            compute="wganx_video.judges.fidelity:structure",
            config=PixelsConfig,
            better=_of_pixels("higher", "ssim", "ssim_legacy"),
            decisive=True,
        ),
        Metric(
            name="sharpness",
            modality="video",
            summary="gradients over those of the truth: below 1 is blur",
            compute="wganx_video.judges.sight:sharpness",
            better={"sharpness_gap": "lower"},
        ),
        Metric(
            name="flicker",
            modality="video",
            summary="error of the changes from frame to frame, seams to given frames among them",
            compute="wganx_video.judges.sight:flicker",
            better={"flicker": "lower"},
        ),
        Metric(
            name="steps",
            modality="video",
            summary="errors frame by frame, from the first that is made to the last",
            compute="wganx_video.judges.fidelity:steps",
            config=PixelsConfig,
            better={"mse_first": "lower", "mse_last": "lower"},
            when="evaluation",
        ),
        Metric(
            name="futures",
            modality="video",
            summary="the best of several futures, and how far they lie apart",
            compute="wganx_video.judges.futures:futures",
            config=FuturesConfig,
            tasks=("predict",),
            better={"best_mse": "lower", "best_psnr": "higher", "best_ssim": "higher", "mean_mse": "lower"},
            most_rows=100,
            when="evaluation",
        ),
        Metric(
            name="lpips",
            modality="video",
            summary="differences to the truth that people see; a weights file of yours",
            compute="wganx_video.judges.perception:perceptual",
            better={"lpips": "lower"},
            most_rows=200,
            when="evaluation",
        ),
        Metric(
            name="fvd",
            modality="video",
            summary="Fréchet distance of whole films; a weights file of yours",
            compute="wganx_video.judges.motion:fvd",
            better={"fvd": "lower"},
            when="evaluation",
        ),
    ]


@hookimpl
def wganx_health_checks() -> Iterable[HealthCheck]:
    return [
        HealthCheck(
            name="constant",
            code="WX081",
            summary="made frames of one colour, such as black",
            modality="video",
            mend="take the un-squared distance (task.fidelity) and no absolute differences, or raise task.fidelity",
            inspect="wganx_video.judges.ailments:constant",
            level="bad",
            patience=5,
        ),
        HealthCheck(
            name="copied",
            code="WX082",
            summary="made frames that are copies of given ones",
            modality="video",
            mend="train longer, or take frames that lie further apart, between which more moves",
            inspect="wganx_video.judges.ailments:copied",
            patience=5,
        ),
        HealthCheck(
            name="blurred",
            code="WX083",
            summary="made frames far less sharp than real ones",
            modality="video",
            mend="lower task.fidelity, which the critic is weighed against, or train longer",
            inspect="wganx_video.judges.ailments:blurred",
            patience=10,
        ),
        HealthCheck(
            name="flickering",
            code="WX084",
            summary="made films that change more than real ones",
            modality="video",
            mend="raise task.temporal_difference or task.fidelity, or let the critic see frames together",
            inspect="wganx_video.judges.ailments:flickering",
            patience=5,
        ),
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "prediction": "five frames to come from five, in about a minute",
        "prediction-tiny": "prediction in seconds, for tests",
        "prediction-gpu": "ten frames to come from ten at 64 px, for a GPU",
        "interpolation": "the frames between others, in about a minute",
        "interpolation-tiny": "interpolation in seconds, for tests",
        "interpolation-gpu": "the frame at any time between two at 64 px, for a GPU",
        "super-resolution": "frames twice as large, in about a minute",
        "super-resolution-tiny": "super-resolution in seconds, for tests",
        "super-resolution-gpu": "frames four times as large, 64 px, for a GPU",
    }.items():
        yield Scenario(name=name, modality="video", summary=summary, config=folder / f"{name}.yaml")

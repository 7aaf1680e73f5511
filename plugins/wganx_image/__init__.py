"""Pictures: datasets of them, and convolutional networks that learn to make more.

This module only declares what there is; factories are named, and imported when a run needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wganx import (
    Architecture,
    DataCard,
    Dataset,
    Extractor,
    HealthCheck,
    Layout,
    Metric,
    Modality,
    Scenario,
    Task,
    hookimpl,
)
from wganx_image.configs.tasks import TRANSLATE_FILE, GenerateConfig, GrowConfig, TranslateConfig
from wganx_image.offers.datasets import DATASETS
from wganx_image.offers.networks import ARCHITECTURES, LAYOUTS

WGANX_API = 1


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(
            name="image",
            summary="pictures",
            axes=("channel", "height", "width"),
            write="wganx_image.writers:write_pictures",
            preview="wganx_image.writers:preview_pictures",
            notice="What is generated here is synthetic: no camera saw it, and people in it do not exist, though they "
            "may resemble those whose pictures were learnt from. Learn from pictures of people, and change them, only "
            "with their consent, and say of what you publish that it is synthetic.",
            turned_back="A sample is a picture, channel by channel (grey, or red, green and blue), row by row from "
            "the top: (x + 1) * 127.5, rounded, are its values from 0 to 255. A source picture is brought "
            "to the same range.",
            open="wganx_image.picture_files:PictureSource",
            create="wganx_image.picture_files:PictureSink",
            sheet="wganx_image.captions:draw_sheet",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return DATASETS


@hookimpl
def wganx_tasks() -> Iterable[Task]:
    return [
        Task(
            name="generate",
            modality="image",
            summary="pictures from noise, with labels of a chosen class",
            config=GenerateConfig,
            build="wganx_image.tasks.generate:Generate",
        ),
        Task(
            name="grow",
            modality="image",
            summary="pictures from noise by networks that grow, small ones first",
            config=GrowConfig,
            build="wganx_image.tasks.grow:Grow",
            fit="wganx_image.tasks.grow:fit_growth",
        ),
        Task(
            name="translate",
            modality="image",
            summary="a picture in another style or with other attributes, learnt without pairs",
            config=TranslateConfig,
            build="wganx_image.tasks.translate:Translate",
            applied=TRANSLATE_FILE,
        ),
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return ARCHITECTURES


@hookimpl
def wganx_layouts() -> Iterable[Layout]:
    return LAYOUTS


@hookimpl
def wganx_health_checks() -> Iterable[HealthCheck]:
    return [
        HealthCheck(
            name="checkerboard",
            code="WX041",
            summary="a two-pixel pattern in the fakes",
            modality="image",
            mend="use generator.name=resnet, which resizes before it convolves, or train longer",
            inspect="wganx_image.checkerboard:checkerboard",
            patience=5,
        )
    ]


@hookimpl
def wganx_metrics() -> Iterable[Metric]:
    return [
        Metric(
            name="class-score",
            modality="image",
            summary="how clearly samples belong to the dataset's classes, and to how many of them",
            compute="wganx_image.metrics:class_score",
            looks_at="features",
            better={"class_score": "higher", "least_class_share": "higher", "label_match": "higher"},
        ),
        Metric(
            name="sliced-w1",
            modality="image",
            summary="Wasserstein-1 distance of the pixels, averaged over random directions",
            compute="wganx_image.metrics:sliced_w1",
            better={"sliced_w1": "lower"},
        ),
        Metric(
            name="patches",
            modality="image",
            summary="sliced distance of small patches, level by level of a Laplacian pyramid",
            compute="wganx_image.pyramid:patch_distances",
            better={"patches": "lower"},
            most_rows=1000,
            when="evaluation",
        ),
        Metric(
            name="ms-ssim",
            modality="image",
            summary="how much two samples resemble each other in structure",
            compute="wganx_image.similarity:mean_similarity",
            most_rows=1000,
            when="evaluation",
        ),
        Metric(
            name="translation",
            modality="image",
            summary="is a translated picture seen in the domain asked for, and what of the source is still there",
            compute="wganx_image.translation:translation",
            tasks=("translate",),
            better={"target": "higher", "target_and_content": "higher"},
            most_rows=2000,
        ),
        Metric(
            name="domain-distance",
            modality="image",
            summary="Fréchet distance of translated pictures to held-out ones of the domain asked for",
            compute="wganx_image.translation:domain_distance",
            tasks=("translate",),
            looks_at="features",
            better={"domain_frechet": "lower"},
            when="evaluation",
        ),
    ]


@hookimpl
def wganx_extractors() -> Iterable[Extractor]:
    return [
        Extractor(
            name="classes",
            modality="image",
            summary="a classifier of the dataset's own classes, trained once on its training split",
            load="wganx_image.extractors:classifier",
            card=DataCard(source="trained here", licence="the dataset's", offline=True),
            finds_labels=True,
        )
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "digits": "handwritten digits at 16 px, offline, in about two minutes",
        "mnist": "handwritten digits at 32 px, in about three minutes on a CPU",
        "fashion-mnist": "pieces of clothing at 32 px",
        "cifar10": "small photographs at 32 px, in about ten minutes on a CPU",
        "faces": "drawn faces at 32 px, offline, in about three minutes",
        "scenes": "drawn landscapes at 32 px, offline, in about three minutes",
        "mnist-gpu": "handwritten digits at 32 px, for one GPU",
        "cifar10-gpu": "small photographs at 32 px by the residual pair, for one GPU",
        "faces-gpu": "drawn faces at 64 px by the residual pair, for one GPU",
        "scenes-gpu": "drawn landscapes at 64 px by the residual pair, for one GPU",
        "faces-tiny": "the chain of faces in seconds, for tests",
        "scenes-tiny": "the chain of scenes in seconds, for tests",
        "growing": "handwritten digits by networks that grow from 4 to 16 px, offline, in about two minutes",
        "photos": "pictures of your own, by --data FOLDER, in about ten minutes on two CPU cores",
        "style-transfer": "drawn landscapes from summer to winter or night, offline, in about three minutes",
        "style-transfer-tiny": "the chain of style-transfer in seconds, for tests",
        "faces-translation": "drawn faces with another smile, glasses or hair, offline, by two CPU cores",
    }.items():
        yield Scenario(name=name, modality="image", summary=summary, config=folder / f"{name}.yaml")

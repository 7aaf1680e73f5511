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
from wganx_image.configs.datasets import (
    MENDS,
    SUFFIXES,
    CelebaConfig,
    DigitsConfig,
    DownloadableConfig,
    FolderConfig,
    LsunConfig,
    ProceduralFacesConfig,
    ProceduralScenesConfig,
    ProceduralStylesConfig,
    WebDatasetConfig,
)
from wganx_image.configs.networks import (
    DcganCriticConfig,
    DcganGeneratorConfig,
    GanZooGeneratorConfig,
    GrowingCriticConfig,
    GrowingGeneratorConfig,
    MimicryGeneratorConfig,
    R3Config,
    ResnetCriticConfig,
    ResnetGeneratorConfig,
    TranslatorCriticConfig,
    TranslatorGeneratorConfig,
)
from wganx_image.configs.tasks import GenerateConfig, GrowConfig, TranslateConfig

WGANX_API = 1

_BICUBIC = "bicubic with antialiasing, where dataset.size is another than the pictures' own"
_DRAWN = DataCard(source="drawn when opened, by the seed", licence="MIT", offline=True, size="20,000 pictures")
_LANCZOS = "the largest centred square, by Lanczos"


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
            open="wganx_image.picture_files:PictureSource",
            create="wganx_image.picture_files:PictureSink",
        )
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return [
        Dataset(
            name="digits",
            modality="image",
            summary="handwritten digits, 8 px grey, ten classes; part of scikit-learn",
            config=DigitsConfig,
            open="wganx_image.datasets.arrays:open_digits",
            resize=_BICUBIC,
            card=DataCard(
                source="UCI optical recognition of handwritten digits, test part (Alpaydin and Kaynak 1998)",
                licence="CC BY 4.0",
                offline=True,
                size="1,797 pictures",
            ),
        ),
        Dataset(
            name="mnist",
            modality="image",
            summary="handwritten digits, 28 px grey, ten classes",
            config=DownloadableConfig,
            open="wganx_image.datasets.arrays:open_mnist",
            resize=_BICUBIC,
            card=DataCard(
                source="LeCun, Cortes and Burges", licence="CC BY-SA 3.0", offline=False, size="70,000 pictures"
            ),
        ),
        Dataset(
            name="fashion-mnist",
            modality="image",
            summary="pieces of clothing, 28 px grey, ten classes",
            config=DownloadableConfig,
            open="wganx_image.datasets.arrays:open_fashion_mnist",
            resize=_BICUBIC,
            card=DataCard(
                source="Zalando Research (Xiao, Rasul and Vollgraf 2017)",
                licence="MIT",
                offline=False,
                size="70,000 pictures",
            ),
        ),
        Dataset(
            name="cifar10",
            modality="image",
            summary="small photographs, 32 px colour, ten classes",
            config=DownloadableConfig,
            open="wganx_image.datasets.arrays:open_cifar10",
            resize=_BICUBIC,
            card=DataCard(
                source="Krizhevsky 2009", licence="none stated, for research", offline=False, size="60,000 pictures"
            ),
        ),
        Dataset(
            name="celeba",
            modality="image",
            summary="aligned faces of celebrities with 40 attributes, 178 x 218 px colour",
            config=CelebaConfig,
            open="wganx_image.datasets.celeba:open_celeba",
            listing="wganx_image.datasets.celeba:list_celeba",
            probe="wganx_image.datasets.pictures:probe",
            suffixes=SUFFIXES,
            resize=_LANCZOS,
            card=DataCard(
                source="Liu, Luo, Wang and Tang 2015",
                licence="non-commercial research only",
                offline=False,
                size="202,599 pictures",
            ),
        ),
        Dataset(
            name="lsun",
            modality="image",
            summary="scenes of one category, 256 px and more, colour",
            config=LsunConfig,
            open="wganx_image.datasets.lsun:open_lsun",
            resize=_LANCZOS,
            card=DataCard(
                source="Yu et al. 2015", licence="none stated, for research", offline=False, size="up to 3 million"
            ),
        ),
        Dataset(
            name="folder",
            modality="image",
            summary="your own pictures, in a folder or a .zip archive of one",
            config=FolderConfig,
            open="wganx_image.datasets.folder:open_folder",
            fit="wganx_image.datasets.folder:fit_folder",
            resize=_LANCZOS,
            card=DataCard(source="your own files", licence="yours", offline=True),
            folder=True,
            suffixes=SUFFIXES,
            mends=MENDS,
            probe="wganx_image.datasets.pictures:probe",
        ),
        Dataset(
            name="procedural-faces",
            modality="image",
            summary="drawn faces of nobody, with nine attributes from smile to hat",
            config=ProceduralFacesConfig,
            open="wganx_image.datasets.faces.items:open_procedural_faces",
            card=_DRAWN,
        ),
        Dataset(
            name="procedural-scenes",
            modality="image",
            summary="drawn landscapes, with weather, season and time of day",
            config=ProceduralScenesConfig,
            open="wganx_image.datasets.scenes.items:open_procedural_scenes",
            card=_DRAWN,
        ),
        Dataset(
            name="procedural-styles",
            modality="image",
            summary="drawn landscapes of two or more styles, unpaired, such as summer, winter and night",
            config=ProceduralStylesConfig,
            open="wganx_image.datasets.scenes.items:open_procedural_styles",
            card=_DRAWN,
        ),
        Dataset(
            name="webdataset",
            modality="image",
            summary="pictures in tar shards, with classes beside them",
            config=WebDatasetConfig,
            open="wganx_image.datasets.webdataset:open_webdataset",
            listing="wganx_image.datasets.webdataset:list_webdataset",
            probe="wganx_image.datasets.pictures:probe",
            suffixes=SUFFIXES,
            resize=_LANCZOS,
            card=DataCard(source="your own files", licence="yours", offline=True),
        ),
    ]


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
        ),
    ]


@hookimpl
def wganx_architectures() -> Iterable[Architecture]:
    return [
        Architecture(
            name="dcgan",
            modality="image",
            role="generator",
            summary="convolutions that double 4 x 4 px up to 16, 32, 64 or 128 px",
            config=DcganGeneratorConfig,
            build="wganx_image.networks.dcgan:Generator",
        ),
        Architecture(
            name="dcgan",
            modality="image",
            role="critic",
            summary="strided convolutions from 16, 32, 64 or 128 px down to 4 x 4",
            config=DcganCriticConfig,
            build="wganx_image.networks.dcgan:Critic",
        ),
        Architecture(
            name="resnet",
            modality="image",
            role="generator",
            summary="residual blocks up to 32, 64 or 128 px",
            config=ResnetGeneratorConfig,
            build="wganx_image.networks.resnet:Generator",
        ),
        Architecture(
            name="resnet",
            modality="image",
            role="critic",
            summary="residual blocks from 32, 64 or 128 px down",
            config=ResnetCriticConfig,
            build="wganx_image.networks.resnet:Critic",
        ),
        Architecture(
            name="growing",
            modality="image",
            role="generator",
            summary="grows from 4 px to 1024 px at most, under task.name=grow",
            config=GrowingGeneratorConfig,
            build="wganx_image.networks.growing:Generator",
        ),
        Architecture(
            name="growing",
            modality="image",
            role="critic",
            summary="grows with its generator, and scores every picture by itself",
            config=GrowingCriticConfig,
            build="wganx_image.networks.growing:Critic",
        ),
        Architecture(
            name="growing-packs",
            modality="image",
            role="critic",
            summary="grows with its generator, and scores packs of four by how they differ too",
            config=GrowingCriticConfig,
            build="wganx_image.networks.growing:PackedCritic",
            couples_rows=4,
        ),
        Architecture(
            name="r3",
            modality="image",
            role="generator",
            summary="grouped residual blocks without norms, up to 16 to 256 px",
            config=R3Config,
            build="wganx_image.networks.r3:Generator",
        ),
        Architecture(
            name="r3",
            modality="image",
            role="critic",
            summary="grouped residual blocks without norms; at home under objective relativistic with r1+r2",
            config=R3Config,
            build="wganx_image.networks.r3:Critic",
        ),
        Architecture(
            name="translator",
            modality="image",
            role="generator",
            summary="a source picture of any size in other domains, by residual blocks",
            config=TranslatorGeneratorConfig,
            build="wganx_image.networks.translator:Translator",
        ),
        Architecture(
            name="translator",
            modality="image",
            role="critic",
            summary="patches of a picture of any size, and the domains it should be of",
            config=TranslatorCriticConfig,
            build="wganx_image.networks.translator:Critic",
        ),
        Architecture(
            name="gan-zoo",
            modality="image",
            role="generator",
            summary="the progressive generator of pytorch_GAN_zoo, 4 to 1024 px, to go on from its checkpoints",
            config=GanZooGeneratorConfig,
            build="wganx_image.pretrained.gan_zoo:Generator",
        ),
        Architecture(
            name="mimicry",
            modality="image",
            role="generator",
            summary="the residual generator of mimicry, 32 or 48 px, to go on from its checkpoints",
            config=MimicryGeneratorConfig,
            build="wganx_image.pretrained.mimicry:Generator",
        ),
    ]


@hookimpl
def wganx_layouts() -> Iterable[Layout]:
    return [
        Layout(
            name="gan-zoo",
            modality="image",
            summary="checkpoints of the progressive GAN of pytorch_GAN_zoo, any size",
            read="wganx_image.pretrained.gan_zoo:read",
            classes=("models.utils.config.BaseConfig",),
            card=DataCard(
                source="facebookresearch/pytorch_GAN_zoo", licence="not stated for the weights", offline=False
            ),
        ),
        Layout(
            name="mimicry",
            modality="image",
            summary="checkpoints of the WGAN-GP generators of mimicry, 32 and 48 px",
            read="wganx_image.pretrained.mimicry:read",
            card=DataCard(source="kwotsin/mimicry", licence="not stated for the weights", offline=False),
        ),
    ]


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
        )
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "digits": "handwritten digits at 16 px, offline, in about two minutes",
        "mnist": "handwritten digits at 32 px",
        "fashion-mnist": "pieces of clothing at 32 px",
        "cifar10": "small photographs at 32 px, by the residual pair",
        "faces": "drawn faces at 32 px, offline, in about three minutes",
        "scenes": "drawn landscapes at 32 px, offline, in about three minutes",
        "faces-gpu": "drawn faces at 64 px by the residual pair, for one GPU",
        "scenes-gpu": "drawn landscapes at 64 px by the residual pair, for one GPU",
        "faces-tiny": "the chain of faces in seconds, for tests",
        "scenes-tiny": "the chain of scenes in seconds, for tests",
        "growing": "handwritten digits by networks that grow from 4 to 16 px, offline, in about two minutes",
        "style-transfer": "drawn landscapes from summer to winter or night, offline, in about three minutes",
        "style-transfer-tiny": "the chain of style-transfer in seconds, for tests",
        "faces-translation": "drawn faces with another smile, glasses or hair, offline, by two CPU cores",
    }.items():
        yield Scenario(name=name, modality="image", summary=summary, config=folder / f"{name}.yaml")

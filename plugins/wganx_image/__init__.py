"""Pictures: datasets of them, and convolutional networks that learn to make more.

This module only declares what there is. Everything that needs torch or Pillow is imported when it is first used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from wganx import (
    Architecture,
    Batch,
    BuildContext,
    DataCard,
    DataContext,
    Dataset,
    Game,
    HealthCheck,
    Items,
    Metric,
    MetricContext,
    Modality,
    SampleFormat,
    Scenario,
    Split,
    Task,
    Vitals,
    hookimpl,
)
from wganx_image.configs import (
    SUFFIXES,
    CelebaConfig,
    DcganCriticConfig,
    DcganGeneratorConfig,
    DigitsConfig,
    DownloadableConfig,
    FolderConfig,
    GenerateConfig,
    LsunConfig,
    ResnetCriticConfig,
    ResnetGeneratorConfig,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

WGANX_API = 1


@hookimpl
def wganx_modalities() -> Iterable[Modality]:
    return [
        Modality(name="image", summary="pictures", axes=("channel", "height", "width"), write=_write, preview=_preview)
    ]


@hookimpl
def wganx_datasets() -> Iterable[Dataset]:
    return [
        Dataset(
            name="digits",
            modality="image",
            summary="handwritten digits, 8 px grey, ten classes; part of scikit-learn",
            config=DigitsConfig,
            open=_open_digits,
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
            open=_open_mnist,
            card=DataCard(
                source="LeCun, Cortes and Burges", licence="CC BY-SA 3.0", offline=False, size="70,000 pictures"
            ),
        ),
        Dataset(
            name="fashion-mnist",
            modality="image",
            summary="pieces of clothing, 28 px grey, ten classes",
            config=DownloadableConfig,
            open=_open_fashion_mnist,
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
            open=_open_cifar10,
            card=DataCard(
                source="Krizhevsky 2009", licence="none stated, for research", offline=False, size="60,000 pictures"
            ),
        ),
        Dataset(
            name="celeba",
            modality="image",
            summary="aligned faces of celebrities, 178 x 218 px colour",
            config=CelebaConfig,
            open=_open_celeba,
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
            open=_open_lsun,
            card=DataCard(
                source="Yu et al. 2015", licence="none stated, for research", offline=False, size="up to 3 million"
            ),
        ),
        Dataset(
            name="folder",
            modality="image",
            summary="your own pictures, in a folder or a .zip archive of one",
            config=FolderConfig,
            open=_open_folder,
            card=DataCard(source="your own files", licence="yours", offline=True),
            folder=True,
            suffixes=SUFFIXES,
            probe=_probe,
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
            build=_generate,
        )
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
            build=_dcgan_generator,
        ),
        Architecture(
            name="dcgan",
            modality="image",
            role="critic",
            summary="strided convolutions from 16, 32, 64 or 128 px down to 4 x 4",
            config=DcganCriticConfig,
            build=_dcgan_critic,
        ),
        Architecture(
            name="resnet",
            modality="image",
            role="generator",
            summary="residual blocks up to 32 or 64 px",
            config=ResnetGeneratorConfig,
            build=_resnet_generator,
        ),
        Architecture(
            name="resnet",
            modality="image",
            role="critic",
            summary="residual blocks from 32 or 64 px down",
            config=ResnetCriticConfig,
            build=_resnet_critic,
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
            inspect=_checkerboard,
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
            compute=_class_score,
            better={"class_score": "higher", "least_class_share": "higher", "label_match": "higher"},
        ),
        Metric(
            name="sliced-w1",
            modality="image",
            summary="Wasserstein-1 distance of the pixels, averaged over random directions",
            compute=_sliced_w1,
            better={"sliced_w1": "lower"},
        ),
    ]


@hookimpl
def wganx_scenarios() -> Iterable[Scenario]:
    folder = Path(__file__).parent / "scenarios"
    for name, summary in {
        "digits": "handwritten digits at 16 px, offline, in about two minutes",
        "mnist": "handwritten digits at 32 px",
        "fashion-mnist": "pieces of clothing at 32 px",
        "cifar10": "small photographs at 32 px, by the residual pair",
        "faces": "CelebA faces at 64 px",
        "scenes": "LSUN scenes, bedrooms at first, at 64 px",
    }.items():
        yield Scenario(name=name, modality="image", summary=summary, config=folder / f"{name}.yaml")


def _open_digits(config: DigitsConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.arrays import open_digits

    return open_digits(config, split)


def _open_mnist(config: DownloadableConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.arrays import open_mnist

    return open_mnist(config, split)


def _open_fashion_mnist(config: DownloadableConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.arrays import open_fashion_mnist

    return open_fashion_mnist(config, split)


def _open_cifar10(config: DownloadableConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.arrays import open_cifar10

    return open_cifar10(config, split)


def _open_celeba(config: CelebaConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.celeba import open_celeba

    return open_celeba(config, split)


def _open_lsun(config: LsunConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.lsun import open_lsun

    return open_lsun(config, split)


def _open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    from wganx_image.datasets.folder import open_folder

    return open_folder(config, split)


def _probe(content: bytes, path: str) -> Mapping[str, str]:
    from wganx_image.datasets.pictures import probe

    return probe(content, path)


def _generate(config: GenerateConfig, sample: SampleFormat) -> Game:
    from wganx_image.tasks import Generate

    return Generate(config, sample)


def _dcgan_generator(config: DcganGeneratorConfig, context: BuildContext) -> nn.Module:
    from wganx_image.networks.dcgan import Generator

    return Generator(config, context)


def _dcgan_critic(config: DcganCriticConfig, context: BuildContext) -> nn.Module:
    from wganx_image.networks.dcgan import Critic

    return Critic(config, context)


def _resnet_generator(config: ResnetGeneratorConfig, context: BuildContext) -> nn.Module:
    from wganx_image.networks.resnet import Generator

    return Generator(config, context)


def _resnet_critic(config: ResnetCriticConfig, context: BuildContext) -> nn.Module:
    from wganx_image.networks.resnet import Critic

    return Critic(config, context)


def _checkerboard(vitals: Vitals) -> str | None:
    from wganx_image.health import checkerboard

    return checkerboard(vitals)


def _class_score(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    from wganx_image.metrics import class_score

    return class_score(candidate, reference, context)


def _sliced_w1(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    from wganx_image.metrics import sliced_w1

    return sliced_w1(candidate, reference, context)


def _write(samples: Tensor, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    from wganx_image.writers import write_pictures

    return write_pictures(samples, format, folder, stem)


def _preview(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Path:
    from wganx_image.writers import write_grid

    return write_grid(samples, format, folder, stem)

"""Options of the datasets; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from wganx import Config
from wganx_image.datasets.faces.attributes import Attribute
from wganx_image.datasets.scenes.kinds import KINDS, Kind, Style

HEIF_SUFFIXES = (".heic", ".heif")
"""Endings of the pictures that phones take, which pillow-heif reads."""

_PLAIN = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
SUFFIXES = (*_PLAIN, *(HEIF_SUFFIXES if find_spec("pillow_heif") else ()))
"""Endings of the pictures a folder is searched for."""

Crop = Literal["square", "whole"]

_CONVERT = "convert them to PNG or JPEG"
MENDS = {
    **dict.fromkeys(HEIF_SUFFIXES, "pip install pillow-heif to read them"),
    ".tar": "shards of a WebDataset are read by --set dataset.name=webdataset",
    **dict.fromkeys((".arw", ".avif", ".cr2", ".cr3", ".dng", ".jp2", ".jxl", ".nef", ".psd", ".svg"), _CONVERT),
}
"""What would make pictures of other endings readable."""


def named_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """
    Raises:
        ValueError: one of them is there twice.
    """
    if len(set(names)) < len(names):
        raise ValueError("each is to be named once")
    return names


class DigitsConfig(Config):
    """The digits have 8 x 8 px of their own and are brought to `size` by bicubic interpolation."""

    size: int = Field(16, ge=8, description="width and height in pixels")


class DownloadableConfig(Config):
    """A dataset in the form that torchvision keeps on disk; pictures are brought to `size` where theirs differs."""

    root: Path = Field(Path("data"), description="the folder that holds the dataset's own folder")
    size: int = Field(32, ge=8, description="width and height in pixels")
    download: bool = Field(False, description="fetch what is missing from the network")


class CelebaConfig(Config):
    """Aligned faces: the largest centred square of each picture, resized."""

    root: Path = Field(Path("data"), description="the folder of img_align_celeba, or the one that holds celeba/")
    size: int = Field(64, ge=8, description="width and height in pixels")
    attributes: tuple[str, ...] = Field(
        (),
        description="those of the 40 that are labels, each yes or no: Smiling, Male; of those that exclude each other "
        "one label: hair=Black_Hair|Blond_Hair|Brown_Hair",
    )

    @property
    def by_label(self) -> dict[str, tuple[str, ...]]:
        """The attributes of each label: one that is there or not, or several of which one is."""
        found = {}
        for text in self.attributes:
            label, equals, several = text.partition("=")
            found[label] = tuple(several.split("|")) if equals else (label,)
        return found

    @field_validator("attributes")
    @classmethod
    def _attributes_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for text in values:
            label, equals, several = text.partition("=")
            if equals and not (label and len(several.split("|")) > 1 and all(several.split("|"))):
                raise ValueError(f"{text!r} is no label of several attributes; write it hair=Black_Hair|Blond_Hair")
        named_once(tuple(text.partition("=")[0] for text in values))
        named_once(tuple(name for text in values for name in text.partition("=")[2].split("|") if name))
        return values


class LsunConfig(Config):
    """Scenes of one category: the largest centred square of each picture, resized."""

    root: Path = Field(Path("data"), description="the folder of <category>_train_lmdb and <category>_val_lmdb")
    category: str = Field("bedroom", description="kind of scene, e.g. bedroom, church_outdoor, tower")
    size: int = Field(64, ge=8, description="width and height in pixels")


class WebDatasetConfig(Config):
    """Pictures in tar shards, each beside the files that say something of it."""

    root: Path = Field(description="a folder of .tar shards, one, or a pattern: data/train-{0000..0011}.tar")
    size: int = Field(64, ge=8, description="width and height in pixels")
    channels: Literal[1, 3] = Field(3, description="1 for grey, 3 for colour")
    labels: Literal["auto"] | tuple[str, ...] = Field(
        "auto", description="cls, txt, or names in the .json files; auto: cls where every picture has one"
    )


class DrawnConfig(Config):
    """Pictures that are drawn when they are asked for, by the seed of the run."""

    count: int = Field(4_000, ge=2, le=10_000_000, description="pictures to learn from; a quarter more are held out")
    size: int = Field(64, ge=16, le=256, description="width and height in pixels")

    @field_validator("attributes", "kinds", "styles", check_fields=False)
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return named_once(values)


class ProceduralFacesConfig(DrawnConfig):
    """Faces of nobody, every one another, with independent attributes."""

    attributes: tuple[Attribute, ...] = Field(
        ("smile", "glasses", "hair"),
        description="those that are labels; drawn are hairstyle, beard, hat, age, skin and light, too",
    )


class ProceduralScenesConfig(DrawnConfig):
    """Landscapes with independent weather, season and time of day."""

    kinds: tuple[Kind, ...] = Field(KINDS, description="those that are labels; all are drawn")


class ProceduralStylesConfig(DrawnConfig):
    """Landscapes of some styles, unpaired: no place is seen in two of them."""

    styles: tuple[Style, ...] = Field(("summer", "winter", "night"), min_length=2, description="classes of the label")


class FolderConfig(Config):
    """Pictures of any size, each brought to a square. Folders below `root` become classes."""

    root: Path = Field(description="a folder of pictures, or a .zip archive of one")
    size: Literal["auto"] | Annotated[int, Field(ge=8)] = Field(
        "auto",
        description="width and height in pixels; auto: 32 on a CPU, up to 128 on a GPU, as most pictures have",
    )
    crop: Crop = Field(
        "square",
        description="square: the largest in the middle; whole: all of it, between bands of its border's colour",
    )
    channels: Literal[1, 3] = Field(3, description="1 for grey, 3 for colour")
    bits: Literal["auto"] | Annotated[int, Field(ge=8, le=16)] = Field(
        "auto", description="bits that values in 16-bit files use, often 12; auto: by the largest of some of them"
    )

"""The settings of the datasets; imports no torch, so that listing the plugin stays quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wganx import Config

Bounce = Literal["elastic", "random"]


class MovingConfig(Config):
    """Glyphs that cross a square at a constant speed and bounce off its edges; where they overlap, the brighter shows.

    With `bounce=random` the direction after a wall is drawn anew, so that a clip has several futures.
    """

    count: int = Field(2000, ge=2, description="clips to learn from; a quarter more are held out")
    frames: int = Field(10, ge=1, description="of a clip")
    size: int = Field(32, ge=16, description="height and width of a frame in px")
    digits: int = Field(2, ge=1, description="that move in a clip")
    step: float = Field(0.12, gt=0, lt=1, description="way from frame to frame, as a share of what is free to move in")
    bounce: Bounce = Field("elastic", description="elastic: as light off a mirror; random: anywhere away from the wall")


class BouncingDigitsConfig(MovingConfig):
    """Scikit-learn's handwritten digits; those of held-out clips are in no clip to learn from."""

    digit: int = Field(14, ge=8, description="height and width of a digit in px")

    @model_validator(mode="after")
    def _digits_fit(self) -> BouncingDigitsConfig:
        if self.digit >= self.size:
            raise ValueError(f"digits of {self.digit} px have no room to move in frames of {self.size}")
        return self


class MovingMnistConfig(MovingConfig):
    """MNIST's digits as they are, 28 px; as the benchmark of that name has them: ten frames and ten more, 64 px."""

    root: Path = Field(Path("data"), description="the folder of MNIST's files, or of mnist_test_seq.npy, or one above")
    count: int = Field(10_000, ge=2, description="clips to learn from; a quarter more are held out, or those published")
    frames: int = Field(20, ge=1, description="of a clip")
    size: int = Field(64, ge=32, description="height and width of a frame in px")
    step: float = Field(0.1, gt=0, lt=1, description="way from frame to frame, as a share of what is free to move in")


class SpritesConfig(Config):
    """Discs, squares, triangles and crosses that move in straight lines over a slope of colour; borders are smooth."""

    count: int = Field(2000, ge=2, description="clips to learn from; a quarter more are held out")
    frames: int = Field(10, ge=1, description="of a clip")
    height: int = Field(32, ge=8)
    width: int = Field(32, ge=8)
    shapes: int = Field(2, ge=1, description="that move in a clip")
    step: float = Field(0.06, gt=0, lt=1, description="way from frame to frame, as a share of the shorter side")


FILMS = (
    ".3gp", ".avi", ".flv", ".gif", ".ivf", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".npy",
    ".npz", ".ogv", ".ts", ".webm", ".wmv", ".y4m",
)  # fmt: skip
"""Endings of the files that are films."""

FRAMES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Endings of the pictures that may be frames of one."""

MENDS = {
    ".pt": "save the array by numpy.save",
    ".rar": "unpack it",
    **dict.fromkeys((".heic", ".jp2"), "convert them to PNG or JPEG"),
    **dict.fromkeys((".rm", ".rmvb", ".vob"), "convert them to mp4 or webm"),
}
"""What would make files of other endings readable."""

Fit = Literal["crop", "pad", "stretch", "cut"]
Side = Annotated[int, Field(ge=8)]


class FilmsConfig(Config):
    """What films of any length, size and rate are brought to."""

    frames: int = Field(10, ge=1, description="of a clip")
    every: int = Field(1, ge=1, description="takes each frame, each second, each third ... of a film")
    overlap: float = Field(0.0, ge=0, le=0.95, description="share of a clip that the next of the same film has, too")
    windows: Literal["all", "first"] = Field("all", description="of films longer than a clip")
    rate: Literal["own"] | Annotated[float, Field(gt=0, le=1000)] = Field(
        "own", description="frames a second; own: as each film has them. Of faster films frames are left out"
    )
    size: Literal["auto"] | Side | tuple[Side, Side] = Field(
        "auto",
        description="side of a square or [height, width] in px; auto: that of the films where it is one of at most 128 "
        "px, else about 64 px for the shorter side",
    )
    fit: Fit = Field(
        "crop",
        description="crop: the largest middle part of that shape, resized; pad: all of it, resized, with black beside; "
        "stretch: all of it, out of shape; cut: a part of that size, as it is, elsewhere for each clip",
    )
    channels: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        "auto",
        description="1 for grey, 3 for colour, 4 with alpha; auto: as most films have, and 1 where nothing is coloured",
    )
    still: Literal["keep", "skip"] = Field("keep", description="clips in which nothing moves")
    cuts: Literal["keep", "skip"] = Field("keep", description="clips that pass from one scene into another")
    layout: str | None = Field(
        None, pattern="^[TCHW]{3,4}$", description="order of the axes of arrays, such as THWC; by their sizes if unsaid"
    )
    value_range: Literal["auto"] | tuple[float, float] = Field(
        "auto", description="what is black and what white in arrays that are no uint8; auto: the extremes of them"
    )


class FolderConfig(FilmsConfig):
    """Films below `root`: files, folders of frames, arrays. Folders `high` and `low` hold pairs of the same names."""

    root: Path = Field(description="a folder of films, or a .zip archive of one")
    labels: bool = Field(False, description="folders of films are classes")


class CorpusConfig(FilmsConfig):
    """A data set as it is published and unpacked."""

    root: Path = Field(Path("data"), description="the data set's own folder, or the one that holds it")


class ActionsConfig(CorpusConfig):
    """Films of people who do something, which is their label `action`."""

    only: tuple[str, ...] = Field((), description="actions to keep: [walking, running]; all by default")


class FoldsConfig(ActionsConfig):
    """A data set of which three splits are published."""

    fold: Literal[1, 2, 3] = Field(1, description="which of the published splits")


class PairsConfig(CorpusConfig):
    """Frames, and smaller ones of the same where they are there; nothing is resized, or they would be no pairs."""

    fit: Literal["cut"] = Field("cut", description="a part of that size, as it is, elsewhere for each clip")


class TripletConfig(PairsConfig):
    """Clips of three frames."""

    frames: int = Field(3, ge=1, le=3, description="of a clip")


class SeptupletConfig(PairsConfig):
    """Clips of seven frames."""

    frames: int = Field(7, ge=1, le=7, description="of a clip")


class MiddleburyConfig(CorpusConfig):
    """Clips of three frames."""

    frames: int = Field(3, ge=1, le=3, description="of a clip")
    fit: Fit = Field("cut", description="as for a folder: crop, pad, stretch or cut")


CORPORA: dict[str, tuple[str, type[CorpusConfig], str, str, str, str]] = {
    "kth": (
        "actions:KTH", ActionsConfig, "six actions of 25 people, grey, 160 x 120 px, 25 frames a second",
        "KTH Actions (Schuldt, Laptev and Caputo 2004)", "none stated", "2,391 actions in 600 films",
    ),
    "ucf101": (
        "actions:UCF101", FoldsConfig, "101 actions of people, 320 x 240 px, 25 frames a second",
        "UCF101 (Soomro, Zamir and Shah 2012)", "of the films' owners; for research", "13,320 films, 27 hours",
    ),
    "hmdb51": (
        "actions:HMDB51", FoldsConfig, "51 actions of people, 240 px high, 30 frames a second",
        "HMDB51 (Kuehne et al. 2011)", "CC BY 4.0; the films are of their owners", "6,766 films",
    ),
    "kinetics": (
        "actions:KINETICS", ActionsConfig, "400 to 700 actions of people, ten seconds each, of any size",
        "Kinetics (Kay et al. 2017)", "CC BY 4.0; the films are of their owners", "240,000 to 650,000 films",
    ),
    "vimeo-triplet": (
        "frames:VIMEO_TRIPLET", TripletConfig, "three frames in a row, 448 x 256 px",
        "Vimeo-90K (Xue et al. 2019)", "none stated; the films are of their owners", "73,171 clips of 3 frames",
    ),
    "vimeo-septuplet": (
        "frames:VIMEO_SEPTUPLET", SeptupletConfig, "seven frames in a row, 448 x 256 px, and a quarter of it",
        "Vimeo-90K (Xue et al. 2019)", "none stated; the films are of their owners", "91,701 clips of 7 frames",
    ),
    "reds": (
        "frames:REDS", PairsConfig, "scenes of streets, 1280 x 720 px, and a quarter of the size",
        "REDS (Nah et al. 2019)", "CC BY 4.0", "270 clips of 100 frames",
    ),
    "vid4": (
        "frames:VID4", PairsConfig, "four films on which enlarging is tried, and a quarter of the size",
        "Vid4 (Liu and Sun 2011)", "none stated", "4 clips, 171 frames",
    ),
    "middlebury": (
        "frames:MIDDLEBURY", MiddleburyConfig, "twelve triples of frames on which those between are tried",
        "Middlebury flow (Baker et al. 2011)", "none stated; freely available, say its authors", "12 clips of 3 frames",
    ),
}  # fmt: skip
"""Data sets by name: where they are stated, options, what they are, their source, licence and size."""

"""Small valid data of every kind that the plugins read: what the harness then damages."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.uint8]
_COUNT = 8


@dataclass(frozen=True)
class Kind:
    """A kind of data.

    Attributes:
        name: that the table shows.
        plugin: whose it is.
        make: fills a folder with it.
        settings: of a training on it, beside where it lies.
        root: what of the folder is given to commands.
        dataset: by which it is scanned; None for the plugin's folders, "" where nothing scans it.
        source: by which networks files of it go, as `wganx sample --source`; the scenario that trains them.
        plain: a folder of files, which may be a zip archive of them as well.
    """

    name: str
    plugin: str
    make: Callable[[Path], None]
    settings: tuple[str, ...] = ()
    root: str = "."
    dataset: str | None = None
    source: str | None = None
    plain: bool = True


def pictures(seed: int = 0, count: int = _COUNT, size: int = 16) -> Iterator[Array]:
    """Smooth colours, so that codecs have something to keep."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:size, 0:size] / size
    for _ in range(count):
        a, b, c = rng.uniform(-255, 255, (3, 3))
        yield np.clip(128 + a * (down[..., None] - 0.5) + b * (across[..., None] - 0.5) + 0.1 * c, 0, 255).astype("u1")


def _points(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(2):
        np.save(folder / f"{number}.npy", rng.normal(size=(20, 2)).astype("f4"))
        rows = "\n".join(f"{x:.4f},{y:.4f}" for x, y in rng.normal(size=(20, 2)))
        (folder / f"{number}.csv").write_text(f"x,y\n{rows}\n", encoding="utf-8")


def _pictures(folder: Path) -> None:
    suffixes = (".png", ".jpg", ".webp", ".gif", ".tif", ".bmp", ".ppm", ".png")
    for number, (pixels, suffix) in enumerate(zip(pictures(), suffixes)):
        Image.fromarray(pixels).save(folder / f"{number}{suffix}")


def _png(folder: Path) -> None:
    for number, pixels in enumerate(pictures()):
        (folder / "ab"[number % 2]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / "ab"[number % 2] / f"{number}.png")


def _shards(folder: Path) -> None:
    with tarfile.open(folder / "train-0000.tar", "w") as archive:
        for number, pixels in enumerate(pictures()):
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            told = json.dumps({"kind": number % 2}).encode()
            for name, content in (("png", buffer.getvalue()), ("cls", b"%d" % (number % 2)), ("json", told)):
                member = tarfile.TarInfo(f"{number:03}.{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def _idx(folder: Path) -> None:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", 12), ("t10k", 8)):
        pixels = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype="u1")
        (raw / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, *pixels.shape) + pixels.tobytes())
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 2049, count) + bytes(n % 10 for n in range(count))
        )


class _Planted:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, ("/wganx-was-executed", "w")


def _cifar(folder: Path) -> None:
    """As published but for its content, which would run code where it is unpickled without a look."""
    batches = folder / "cifar-10-batches-py"
    batches.mkdir()
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"):
        (batches / name).write_bytes(pickle.dumps(_Planted()))


def _lmdb(folder: Path) -> None:
    import lmdb

    for split in ("train", "val"):
        environment = lmdb.open(str(folder / f"bedroom_{split}_lmdb"), map_size=1 << 20)
        with environment.begin(write=True) as transaction:
            for number, pixels in enumerate(pictures()):
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, "WEBP")
                transaction.put(f"{number:040x}".encode(), buffer.getvalue())
        environment.close()


def _sounds(folder: Path) -> None:
    rng = np.random.default_rng(0)
    suffixes = (".wav", ".flac", ".ogg", ".wav", ".mp3", ".aiff", ".au", ".caf")
    for number, suffix in enumerate(suffixes):
        soundfile.write(folder / f"{number}{suffix}", rng.normal(size=2048) * 0.1, 8000)


def _table(folder: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["path,speaker,split,text"]
    for number in range(_COUNT):
        soundfile.write(folder / f"{number}.wav", rng.normal(size=2048) * 0.1, 8000)
        rows.append(f'{number}.wav,{"anna" if number % 2 else "ben"},{"train" if number < 6 else "test"},"one, two"')
    (folder / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _film(seed: int, frames: int = 12) -> Array:
    start = next(pictures(seed, 1))
    return np.stack([np.roll(start, step, axis=1) for step in range(frames)])


def _films(folder: Path) -> None:
    for number in range(4):
        save_film(folder / f"{number}.mp4", _film(number))
    for number in range(4, 6):
        first, *others = (Image.fromarray(frame) for frame in _film(number))
        first.save(folder / f"{number}.gif", save_all=True, append_images=others, duration=40)


def save_film(path: Path, frames: Array) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def _arrays(folder: Path) -> None:
    for number in range(4):
        np.save(folder / f"{number}.npy", _film(number))
    np.savez(folder / "4.npz", frames=_film(4))
    np.savez_compressed(folder / "5.npz", frames=_film(5))


def _frames(folder: Path) -> None:
    for number in range(3):
        (folder / f"film-{number}").mkdir()
        for place, pixels in enumerate(_film(number)):
            Image.fromarray(pixels).save(folder / f"film-{number}" / f"{place:03}.png")


_SMALL = ("generator.width=4", "critic.width=4")
_PICTURES = (*_SMALL, "dataset.size=16", "generator.name=dcgan", "critic.name=dcgan")
_SOUNDS = (*_SMALL, "--scenario", "digits-tiny", "task.labels=[]", "dataset.length=2048")
_FILMS = ("--scenario", "prediction-tiny")

KINDS = (
    Kind("points", "points", _points, _SMALL),
    Kind("pictures", "image", _pictures, _PICTURES, source="style-transfer-tiny"),
    Kind("pictures in classes", "image", _png, (*_PICTURES, "dataset.pack=always")),
    Kind("tar shards", "image", _shards, (*_PICTURES, "dataset.name=webdataset"), dataset="webdataset", plain=False),
    Kind("IDX files", "image", _idx, (*_SMALL, "--scenario", "mnist", "dataset.name=mnist"), dataset="", plain=False),
    Kind(
        "pickles", "image", _cifar, (*_SMALL, "--scenario", "cifar10", "dataset.name=cifar10"), dataset="", plain=False
    ),
    Kind("LMDB", "image", _lmdb, (*_PICTURES, "dataset.name=lsun"), dataset="", plain=False),
    Kind("sounds", "audio", _sounds, _SOUNDS, source="voice-conversion-tiny"),
    Kind("tables of sounds", "audio", _table, (*_SOUNDS, "dataset.name=table"), "table.csv", "table", plain=False),
    Kind("films", "video", _films, _FILMS, source="super-resolution-tiny"),
    Kind("arrays of films", "video", _arrays, _FILMS, source="super-resolution-tiny"),
    Kind("frames", "video", _frames, _FILMS, source="super-resolution-tiny"),
)

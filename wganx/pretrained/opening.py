"""What a file or folder holds of a trained generator, and which network that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from wganx.batch import SampleFormat
from wganx.engine import CheckpointStore, read_networks
from wganx.engine.facts import check_drawable
from wganx.errors import DataError, PluginFailed, UsageError
from wganx.names import at_home
from wganx.parts import Part
from wganx.plugins.contracts import Pretrained
from wganx.plugins.descriptors import Layout
from wganx.plugins.guard import calling
from wganx.pretrained.files import ENDINGS, digest_of, read_content, tensors_in

UNKNOWN = "not stated"
OWN = "wganx"
TENSORS = "tensors"


@dataclass(frozen=True, eq=False)
class Opened:
    """A file or checkpoint, looked into.

    Attributes:
        path: the file, or the folder of the checkpoint.
        sha256: of the file, or of the checkpoint's weights.
        layout: whose way of writing it is; ``wganx`` for a checkpoint, ``tensors`` for tensors by name alone.
        source: who publishes such files.
        licence: of the weights, where that is said.
        modality: of what it makes; empty where that is not known.
        pretrained: the generator; None for tensors alone.
        weights: its tensors by name.
        critic: tensors of a critic that was trained with it; empty for none.
        about: of a checkpoint of wganx, how to build its generator.
        step: generator updates behind it; 0 where that is not known.
    """

    path: Path
    sha256: str
    layout: str
    source: str
    licence: str
    modality: str
    pretrained: Pretrained | None
    weights: Mapping[str, Tensor]
    critic: Mapping[str, Tensor]
    about: Mapping[str, Any]
    step: int = 0

    @property
    def parameters(self) -> int:
        """How many numbers its tensors hold."""
        return sum(tensor.numel() for tensor in self.weights.values())

    @property
    def facts(self) -> dict[str, Any]:
        """What is written down of where a training began."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "layout": self.layout,
            "source": self.source,
            "licence": self.licence,
            "parameters": self.parameters,
        }

    def in_words(self) -> str:
        """``gan-zoo, channel 3 x height 128 x width 128, 23,000,000 numbers, SHA-256 6196db68...``"""
        made = [str(self.pretrained.sample)] if self.pretrained is not None else []
        return ", ".join([self.layout, *made, f"{self.parameters:,} numbers", f"SHA-256 {self.sha256[:8]}..."])


def open_pretrained(path: str | Path, layouts: Sequence[Layout]) -> Opened:
    """Look into a file of weights, a run folder (its newest checkpoint) or a checkpoint's folder.

    Args:
        layouts: those of other projects that may be met.

    Raises:
        DataError: nothing there, a pickled class, or a file of a layout that lacks something.
        CheckpointError: it is cut short or damaged, or not the file that its name says.
        UsageError: a folder that holds neither.
    """
    place = at_home(path)
    if place.is_dir():
        return _own(checkpoint_in(place))
    if not place.is_file():
        raise DataError(f"there is no file or folder at {path}; check the spelling (nothing is fetched)")
    digest = digest_of(place)
    content = read_content(place, [name for layout in layouts for name in layout.classes])
    for layout in layouts:
        with calling(layout, "read"):
            found = layout.factory("read")(content, place)
        if found is None:
            continue
        if not isinstance(found, Pretrained):
            raise PluginFailed(f"{_whose(layout)}: read must return Pretrained or None, and returned {found!r:.60}")
        return Opened(
            place, digest, layout.name, layout.card.source, layout.card.licence, layout.modality, found,
            found.weights, {}, {},
        )  # fmt: skip
    if not (tensors := tensors_in(content)):
        known = ", ".join([layout.name for layout in layouts] + [TENSORS])
        begins = ", ".join(list(map(str, content))[:4]) or "nothing"
        raise DataError(f"{place} is in no layout that is known ({known}): it holds {begins}")
    return Opened(place, digest, TENSORS, UNKNOWN, UNKNOWN, "", None, tensors, {}, {})


def checkpoint_in(folder: Path) -> Path:
    """The folder itself, if it is a checkpoint; of a run folder the newest one.

    Raises:
        UsageError: it is neither.
    """
    if (folder / "state.json").is_file():
        return folder
    store = CheckpointStore(folder / "checkpoints")
    if not (steps := store.steps()):
        raise UsageError(f"{folder} is neither a run folder with a checkpoint nor a checkpoint; give a file of weights")
    return store.path(steps[-1])


def listed(folder: Path) -> Iterator[Path]:
    """What may be opened in a folder, by name: files of weights, run folders."""
    for path in sorted(folder.iterdir()):
        if (path.is_file() and path.suffix.lower() in ENDINGS) or (path / "checkpoints").is_dir():
            yield path


def _own(folder: Path) -> Opened:
    found = read_networks(folder)
    about = found.facts.get("about") or {}
    parts = {part: _part(found.weights, part) for part in ("average", "critic")}
    pretrained = None
    if "generator" in about:
        check_drawable(about)
        options = dict(about["generator"])
        pretrained = Pretrained(
            generator=options.pop("name"),
            options={name: value for name, value in options.items() if name != "noise"},
            weights=parts["average"],
            sample=SampleFormat.from_json(about["sample"]),
            noise=tuple(about["noise"]),
            context={name: SampleFormat.from_json(format) for name, format in about["context"].items()},
        )
    return Opened(
        folder.resolve(), found.facts["digests"]["weights.safetensors"], OWN, "a training of wganx", UNKNOWN,
        about.get("modality", ""), pretrained, parts["average"], parts["critic"], about,
        found.facts.get("step", 0),
    )  # fmt: skip


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{part}/"): value for key, value in tensors.items() if key.startswith(f"{part}/")}


def _whose(part: Part) -> str:
    return f"{part.origin}: {part}" if part.origin else str(part)

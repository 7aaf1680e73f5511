"""Drawing from generators that were trained elsewhere, without a run of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from torch import nn

from wganx.batch import Batch, SampleFormat
from wganx.engine import Sampler, Weights, choose_device, load_average, place
from wganx.errors import CheckpointError, PluginError, UsageError
from wganx.plugins import Catalog, discover, load
from wganx.plugins.contracts import BuildContext
from wganx.plugins.descriptors import Layout, Modality
from wganx.plugins.guard import call, calling
from wganx.pretrained import Opened, open_pretrained
from wganx.runs.drawing import build_network, catalog_of
from wganx.runs.drawn import make_room
from wganx.runs.folder import RunFolder
from wganx.runs.looking import draw_preview, write_files, write_picture
from wganx.runs.room import check_files, check_samples
from wganx.runs.walk import noises_on_the_way


@dataclass(frozen=True)
class KnownLayouts:
    """The layouts that installed plugins read, each with the plugin's catalog.

    Attributes:
        broken: a line for every plugin that cannot be loaded.
    """

    offers: tuple[tuple[Layout, Catalog], ...]
    broken: tuple[str, ...]

    @property
    def layouts(self) -> list[Layout]:
        return [layout for layout, _ in self.offers]

    def catalog_of(self, name: str) -> Catalog:
        """The plugin that reads the layout of that name."""
        return next(catalog for layout, catalog in self.offers if layout.name == name)


def known_layouts(plugin: str | None = None) -> KnownLayouts:
    """The layouts of one plugin, or of every installed one; what is broken is named, and takes nothing else down.

    Raises:
        PluginError: the one that is named cannot be loaded.
    """
    if plugin is not None:
        catalog = load([plugin])
        return KnownLayouts(tuple((layout, catalog) for layout in catalog.offers(Layout)), ())
    offers, broken = [], []
    for found in discover():
        try:
            catalog = load([":".join(filter(None, (found.distribution, found.name)))])
        except PluginError as error:
            broken.append(str(error))
            continue
        offers += [(layout, catalog) for layout in catalog.offers(Layout)]
    return KnownLayouts(tuple(offers), tuple(broken))


@dataclass(frozen=True, eq=False)
class PretrainedGenerator:
    """A generator ready to draw from.

    Attributes:
        opened: where it came from.
        sampler: what draws.
        modality: how its samples are looked at.
    """

    opened: Opened
    sampler: Sampler
    modality: Modality

    def write(
        self,
        count: int,
        folder: Path,
        *,
        seed: int = 0,
        given: Mapping[str, str | float] | None = None,
        truncation: float = 1.0,
        overwrite: bool = False,
    ) -> list[Path]:
        """`count` samples, a file each, and a ``grid`` picture of all, which is the last of the paths.

        Args:
            truncation: below 1, samples are more typical and more alike (`Sampler.draw`).

        Raises:
            UsageError: `folder` holds files already, a label or class is not there, or truncation is not above 0.
        """
        check_samples(self.sampler, count, written=True)
        context = self.sampler.context_rows(count, given=given)
        batch = Batch(self.sampler.draw(count, seed=seed, context=context, truncation=truncation), context).to("cpu")
        make_room(folder, overwrite=overwrite)
        paths = write_files(self.modality, batch, self._format, folder, "sample")
        return [*paths, self._picture(batch, folder, "grid")]

    def walk(
        self,
        count: int,
        frames: int,
        folder: Path,
        *,
        seed: int = 0,
        given: Mapping[str, str | float] | None = None,
        truncation: float = 1.0,
        overwrite: bool = False,
    ) -> list[Path]:
        """A picture of `count` samples at each of `frames` stops between two noises.

        Raises:
            UsageError: as `write`, or the generator takes no noise.
        """
        check_samples(self.sampler, count, written=True)
        check_files(frames, "pictures", folder, "--walk")
        context = self.sampler.context_rows(count, given=given)
        stops = (
            self.sampler.draw(count, context=context, noise=noise, truncation=truncation)
            for noise in noises_on_the_way(self.sampler, count, frames, seed)
        )
        first = next(stops)  # what is wrong is said before there is a folder; never are all of them in memory
        make_room(folder, overwrite=overwrite)
        batches = (Batch(samples, context).to("cpu") for samples in chain([first], stops))
        return [self._picture(batch, folder, f"sample-{number:04d}") for number, batch in enumerate(batches)]

    @property
    def _format(self) -> SampleFormat:
        assert self.sampler.sample is not None, "whoever opens a generator knows what it makes"
        return self.sampler.sample

    def _picture(self, batch: Batch, folder: Path, stem: str) -> Path:
        preview = draw_preview(self.modality, batch.real, batch, self._format, folder, stem)
        return write_picture(preview.picture, folder / f"{stem}.png")


def open_generator(path: str | Path, *, plugin: str | None = None, device: str = "auto") -> PretrainedGenerator:
    """The generator in a file of a known layout, a run folder, or a checkpoint.

    Args:
        plugin: whose layouts may be met; those of every installed plugin by default.

    Raises:
        UsageError: it holds tensors alone, or a checkpoint that does not say how to build its generator.
        WganxError: as `open_pretrained`; or the plugin does not build it.
    """
    known = known_layouts(plugin)
    opened = open_pretrained(path, known.layouts)
    found = opened.pretrained
    if found is None:
        raise UsageError(
            f"{path} holds tensors by name, and does not say which network they belong to; train on from them with "
            "wganx train --init, where the run says it"
        )
    if opened.about:
        folder = RunFolder(opened.path.parent.parent)
        network, _ = build_network(opened.about, folder, "generator")
        catalog = catalog_of(opened.about, folder)
    else:
        catalog = known.catalog_of(opened.layout)
        network = _built(opened, catalog)
    try:
        load_average(network, Weights(found.weights, {"step": opened.step}))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    where = choose_device(device)
    place(network, where)
    sampler = Sampler(network, noise=found.noise or None, device=where, sample=found.sample, context=found.context)
    return PretrainedGenerator(opened, sampler, catalog.modality(opened.modality))


def _built(opened: Opened, catalog: Catalog) -> nn.Module:
    """The network that a layout names, before it has the weights."""
    found = opened.pretrained
    assert found is not None
    architecture = catalog.architecture("generator", found.generator, opened.modality)
    with calling(architecture, "config"):
        config = architecture.config.model_validate(dict(found.options))
    context = BuildContext(sample=found.sample, noise=found.noise, inputs=found.context)
    network: nn.Module = call(architecture, "build", config, context, returns=nn.Module)
    return network

"""Checks of a modality: what it writes and draws is there, and its files are the streams they say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.plugins.contracts import Preview, Source
from wganx.plugins.descriptors import Modality
from wganx.plugins.guard import call, calling
from wganx.testing.bench import Bench
from wganx.testing.check import check, fail
from wganx.testing.places import Setting


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wganx-check-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _written(modality: Modality, setting: Setting, folder: Path, stem: str = "sample") -> list[Path]:
    paths = call(modality, "write", setting.batch(3), setting.game.sample, folder, stem, returns=object)
    if not isinstance(paths, list) or not all(isinstance(path, Path) for path in paths):
        fail(f"write returned {paths!r}", "return the list of the paths that were written")
    return paths


@check("modality", name="files", mend="let write(batch, format, folder, stem) write a file for every sample")
def files_are_written(modality: Modality, bench: Bench) -> None:
    """What it writes is there, holds something, and is named by the stem."""
    for setting in bench.settings(modality.name):
        with _folder() as folder:
            paths = _written(modality, setting, folder)
            if not paths:
                fail(f"{setting.name}: it wrote nothing", "write folder/stem-0000.* and so on, and return the paths")
            for path in paths:
                if not path.is_file() or not path.stat().st_size:
                    fail(f"{setting.name}: {path.name} is missing or empty", "return only what was written, whole")
                if path.parent != folder or not path.name.startswith("sample"):
                    fail(f"{setting.name}: it wrote {path.name} elsewhere", "name files folder/stem-0000.*")
            if left := sorted(set(folder.iterdir()) - set(paths)):
                fail(f"{setting.name}: it leaves {left[0].name} behind", "return every path that was written")


def _previewed(modality: Modality, setting: Setting, reference: Batch, folder: Path) -> Preview:
    batch = setting.batch(4)
    preview = call(
        modality, "preview", batch.real, reference, setting.game.sample, folder, "step", returns=object
    )  # fmt: skip
    if not isinstance(preview, Preview):
        fail(f"{setting.name}: preview returned {type(preview).__name__}", "return wganx.Preview(picture, files)")
    return preview


@check("modality", name="preview", mend="let preview(samples, reference, format, folder, stem) draw all samples")
def preview_is_a_picture(modality: Modality, bench: Bench) -> None:
    """Its preview is one picture that can be stored, and the files beside it are there."""
    for setting in bench.settings(modality.name):
        with _folder() as folder:
            preview = _previewed(modality, setting, setting.batch(4), folder)
            picture = preview.picture
            if not (
                isinstance(picture, Tensor)
                and picture.dtype == torch.uint8
                and picture.ndim == 3
                and len(picture) in (1, 3)
            ):
                seen = f"{picture.dtype} {tuple(picture.shape)}" if isinstance(picture, Tensor) else "no tensor"
                fail(
                    f"{setting.name}: the picture is {seen}",
                    "make it uint8 (C, H, W) with 1 or 3 channels, values 0 to 255",
                )
            for path in preview.files:
                if not path.is_file() or not path.stat().st_size:
                    fail(f"{setting.name}: {path.name} is missing or empty", "name in files only what was written")


@check("modality", name="no-reference", mend="draw the samples alone where reference has no rows: if len(reference)")
def preview_needs_no_reference(modality: Modality, bench: Bench) -> None:
    """It also draws where there is nothing to compare with, as when a run is sampled without its data."""
    for setting in bench.settings(modality.name):
        batch = setting.batch(4)
        with _folder() as folder:
            context = {name: rows for name, rows in batch.context.items() if setting.game.context[name].is_label}
            _previewed(modality, setting, Batch(batch.real[:0], context), folder)


@check("modality", name="stream", mend="let open(path) read what create(path, like) wrote")
def files_are_streams(modality: Modality, bench: Bench) -> str | None:
    """A file it wrote opens as a stream, reads the same in pieces as whole, and is written back within tolerance."""
    if modality.open is None:
        return "its files are no streams"
    if modality.create is None:
        fail("it opens files and creates none", "give both open and create, or neither")
    setting = bench.settings(modality.name)[0]
    with _folder() as folder, ExitStack() as opened:
        first = _written(modality, setting, folder)[0]
        source = _opened(modality, first, opened)
        length = source.length
        with calling(modality, "read"):
            whole = source.read(0, length)
            half = max(length // 2, 1)
            parts = [source.read(0, half), source.read(half, length - half)] if length > 1 else [whole]
            beyond = source.read(length - 1, 5)
        if len(whole) != length and length not in whole.shape:
            fail(f"length is {length}, and read gives {tuple(whole.shape)}", "count length along the streamed axis")
        axis = next(index for index, size in enumerate(whole.shape) if size == length)
        if not torch.equal(torch.cat(parts, dim=axis), whole):
            fail("read(start, count) differs from the same piece of the whole", "read exactly count from start on")
        if beyond.shape[axis] != 1:
            fail(f"read beyond the end gives {beyond.shape[axis]} for 1", "give what is there, fewer at the end")
        again = folder / f"again{first.suffix}"
        sink = call(modality, "create", again, source)
        if callable(expect := getattr(sink, "expect", None)):
            with calling(modality, "expect"):
                expect(source.format)  # the source's own: nothing is to change
        with calling(modality, "write"):
            for part in parts:
                sink.write(part)
            sink.close()
        if not again.is_file():
            fail("create wrote no file", "let close() end the file at the path that create was given")
        back = _opened(modality, again, opened)
        with calling(modality, "read"):
            copied = back.read(0, back.length)
        if back.length != length or copied.shape != whole.shape:
            fail(f"a copy has length {back.length} for {length}", "write every chunk that write is given")
        low, high = source.format.value_range or (float(whole.min()), float(whole.max()))
        if float((copied.float() - whole.float()).abs().mean()) > 0.05 * max(high - low, 1e-6):
            fail("a copy is far from what was written", "keep the storage type and its range")
    return None


def _opened(modality: Modality, path: Path, stack: ExitStack) -> Source:
    """A stream that is closed with the stack, where it has a way to be."""
    source: Source = call(modality, "open", path)
    if callable(close := getattr(source, "close", None)):
        stack.callback(close)
    return source

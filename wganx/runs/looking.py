"""What people look at and listen to: what plugins draw and write, put on disk."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from wganx.batch import Batch, SampleFormat
from wganx.errors import PluginFailed
from wganx.plugins.contracts import Game, Preview
from wganx.plugins.descriptors import Modality, Task
from wganx.plugins.guard import call, calling
from wganx.storage import files_aside, write_whole


def draw_preview(
    modality: Modality,
    samples: Tensor,
    reference: Batch,
    format: SampleFormat,
    folder: Path,
    stem: str,
    own: tuple[Task, Game] | None = None,
) -> Preview:
    """One picture of all samples, and the files beside it: the game's own, or else the modality's.

    Raises:
        PluginFailed: whoever draws fails, or draws no picture.
    """
    with files_aside(folder) as aside:
        preview: Preview | None = None
        if own is not None:
            task, game = own
            with calling(task, "preview"):
                preview = game.preview(samples, reference, aside, stem)
        if preview is None:
            preview = call(modality, "preview", samples, reference, format, aside, stem, returns=Preview)
    picture = preview.picture
    if not (
        isinstance(picture, Tensor) and picture.dtype == torch.uint8 and picture.ndim == 3 and len(picture) in (1, 3)
    ):
        seen = f"{picture.dtype} {tuple(picture.shape)}" if isinstance(picture, Tensor) else type(picture).__name__
        raise PluginFailed(
            f"{modality.origin}: {modality}: a preview's picture is uint8 (C, H, W) with 1 or 3 channels, not {seen}"
        )
    if not isinstance(preview.files, tuple | list):
        return preview
    return replace(preview, files=tuple(_in_place(path, aside, folder) for path in preview.files))


def write_files(modality: Modality, batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """Every sample as a file of its own."""
    with files_aside(folder) as aside:
        written: list[Path] = call(modality, "write", batch, format, aside, stem, returns=list)
    return [_in_place(path, aside, folder) for path in written]


def _in_place(path: Path, aside: Path, folder: Path) -> Path:
    """Where a file lies that was written `aside`; what a plugin names that is none of these stays as it is."""
    try:
        return folder / Path(path).relative_to(aside)
    except (TypeError, ValueError):
        return path


def write_picture(picture_CHW: Tensor, path: Path) -> Path:
    """Write a picture, uint8 ``(C, H, W)``, as PNG."""
    pixels_HWC = picture_CHW.permute(1, 2, 0).contiguous().cpu().numpy()
    content = io.BytesIO()
    Image.fromarray(pixels_HWC[..., 0] if pixels_HWC.shape[2] == 1 else pixels_HWC).save(content, "png", optimize=True)
    write_whole(path, content.getvalue())
    return path

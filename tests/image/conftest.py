"""Fixtures of the image plugin's tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wganx import BuildContext, SampleFormat

Colour = tuple[int, int, int]


@pytest.fixture
def save_picture() -> Callable[..., Path]:
    """``save_picture(path, size=(w, h), colour=(r, g, b), mode="RGB")`` writes one plain picture."""

    def save(path: Path, size: tuple[int, int] = (20, 16), colour: Colour = (200, 100, 50), mode: str = "RGB") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).convert(mode).save(path)
        return path

    return save


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """``encoded(picture, "PNG")`` is the content of the file the picture would be saved to."""

    def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
        content = io.BytesIO()
        picture.save(content, kind, **options)
        return content.getvalue()

    return encode


@pytest.fixture
def context() -> Callable[..., BuildContext]:
    """``context(channels, size, noise=..., classes=..., fitted=...)``: what a network is built for."""

    def make(
        channels: int, size: int, noise: int = 0, classes: int = 0, fitted: Mapping[str, Any] | None = None
    ) -> BuildContext:
        label = SampleFormat.label(tuple(str(index) for index in range(classes)))
        return BuildContext(
            sample=SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size)),
            noise=(noise,) if noise else (),
            inputs={"label": label} if classes else {},
            fitted=fitted or {},
        )

    return make


@pytest.fixture
def grey() -> Callable[[np.ndarray], Image.Image]:
    """A grey picture of an array ``(H, W)``; 16-bit of one of uint16."""
    return Image.fromarray

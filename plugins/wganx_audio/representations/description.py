"""The description of a representation: all that turns a sample back into a sound, kept in its format's `signal`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from wganx import ConfigError, DataError, SampleFormat
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations.vocoder import find_vocoder

_HOME = {
    "waveform": "wganx_audio.representations.waveform:Waveform",
    "linear": "wganx_audio.representations.spectrogram:LinearSpectrogram",
    "mel": "wganx_audio.representations.mel:MelSpectrogram",
    "phase": "wganx_audio.representations.phase:PhaseSpectrogram",
}


class Representation(ABC):
    """Sounds ``(N, C, L)`` in [-1, 1] to samples of `format` and back, on the device of what it is given.

    Attributes:
        format: of its samples. Where the length is free, so is the number of frames.
    """

    def __init__(self, format: SampleFormat) -> None:
        self.format = format

    @property
    def rate_hz(self) -> float:
        """Samples a second of the sounds."""
        return self.format.rate_hz or 1.0

    @abstractmethod
    def encode(self, wave_NCL: Tensor) -> Tensor:
        """Sounds as samples ``(N, *format.shape)``; a length that is no multiple of the hop is padded with silence."""

    @abstractmethod
    def decode(self, samples: Tensor, *, seed: int = 0, phase_of: Tensor | None = None) -> Tensor:
        """Samples as sounds ``(N, C, L)``.

        Args:
            seed: of the phases that are looked for, where the representation has none.
            phase_of: sounds ``(N, C, L)`` to begin with their phases instead: those that a conversion came from.
        """

    def magnitudes(self, samples: Tensor) -> Tensor:
        """Linear magnitudes ``(N, C, bins, frames)`` of samples, where a full sine is 1.

        Raises:
            DataError: this representation has none.
        """
        raise DataError(f"a {self.format.signal['representation']} has no magnitudes")


def describe(config: RepresentationConfig, sound: SampleFormat, moments: dict[str, Tensor] | None) -> SampleFormat:
    """The format of the samples that sounds of the format `sound` become.

    Args:
        moments: ``mean`` and ``reach`` of every bin, as `fit_moments` found them; None leaves them at 0 and 1, as they
            are while they are looked for.

    Raises:
        ConfigError: the sound's length is no multiple of the hop, or there is no such vocoder, or it is for another
            description.
    """
    _refuse_what_is_unused(config)
    channels, length = sound.shape
    kind = config.representation
    signal: dict[str, Any] = {"representation": kind}
    if kind == "waveform":
        shape: tuple[int | None, ...] = (channels, length)
        axes: tuple[str, ...] = ("channel", "time")
    else:
        if length is not None and length % config.hop:
            raise ConfigError(
                f"task.hop={config.hop} does not divide the {length} samples of a sound; "
                f"set dataset.length to a multiple of it, such as {-(-length // config.hop) * config.hop}"
            )
        bins = config.bands if kind == "mel" else config.window // 2
        found = moments or {"mean": torch.zeros(bins), "reach": torch.ones(bins)}
        signal |= {name: getattr(config, name) for name in ("window", "hop", "floor_db", "iterations")}
        signal |= {name: [round(value, 6) for value in found[name].tolist()] for name in ("mean", "reach")}
        if kind == "mel":
            signal["bands"] = config.bands
        if config.vocoder is not None:
            signal["vocoder"] = config.vocoder
            find_vocoder(config.vocoder, {**signal, "rate_hz": sound.rate_hz})
        parts = 2 if kind == "phase" else 1
        shape = (None if channels is None else parts * channels, bins, None if length is None else length // config.hop)
        axes = ("channel", "frequency", "frame")
    return SampleFormat(axes=axes, shape=shape, value_range=(-1.0, 1.0), rate_hz=sound.rate_hz, signal=signal)


def representation_of(format: SampleFormat) -> Representation:
    """The representation that a format's `signal` describes.

    Raises:
        DataError: it describes none.
    """
    kind = format.signal.get("representation")
    if kind not in _HOME:
        raise DataError(
            f"the format {format} does not say how it becomes a sound; its signal has {dict(format.signal)}"
        )
    module, name = _HOME[kind].split(":")
    found: Representation = getattr(import_module(module), name)(format)
    return found


def _refuse_what_is_unused(config: RepresentationConfig) -> None:
    """A value of its own for what the representation has no use for; a scenario's other representation may have had."""
    of_spectra = ("window", "hop", "bands", "floor_db", "reach", "iterations", "vocoder")
    unused = {"waveform": of_spectra, "mel": (), "phase": ("bands", "iterations", "vocoder")}
    usual = {name: field.default for name, field in type(config).model_fields.items()}
    names = unused.get(config.representation, ("bands",))
    if given := [name for name in names if getattr(config, name) != usual[name]]:
        mends = " ".join(f"--set task.{name}={_told(usual[name])}" for name in given)
        raise ConfigError(
            f"{' and '.join(f'task.{name}' for name in given)} {'has' if len(given) == 1 else 'have'} no meaning for "
            f"task.representation={config.representation}; leave out what you set of it, or undo what the scenario "
            f"set: {mends}"
        )


def _told(value: float | None) -> str:
    return "null" if value is None else f"{value:g}"

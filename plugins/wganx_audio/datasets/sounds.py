"""How sounds are stored."""

from __future__ import annotations

from wganx import SampleFormat


def stored_sound(channels: int, length: int, rate_hz: int) -> SampleFormat:
    """The format of sounds as they are stored: int16."""
    return SampleFormat(
        axes=("channel", "time"),
        shape=(channels, length),
        value_range=(-32768.0, 32767.0),
        rate_hz=float(rate_hz),
    )

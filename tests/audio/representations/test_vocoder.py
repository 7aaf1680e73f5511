"""A vocoder of another package: found by its name, checked against the description, and used."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
import torch
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import describe, representation_of, vocoder

from wganx import ConfigError, SampleFormat


class Clicks:
    """As loud as the mean magnitude of each frame, at its begin; trained for mel spectrograms of 8 kHz."""

    signal = {"representation": "mel", "rate_hz": 8000.0, "window": 256, "hop": 64, "bands": 40}  # noqa: RUF012

    def __call__(self, logarithms_NCFT: torch.Tensor) -> torch.Tensor:
        level_NCT = logarithms_NCFT.exp().mean(2)
        return torch.nn.functional.pad(level_NCT[..., None], (0, 63)).flatten(2)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch):
    entry = EntryPoint("clicks", f"{__name__}:Clicks", vocoder.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Clicks)
    monkeypatch.setattr(vocoder, "entry_points", lambda group: [entry] if group == vocoder.GROUP else [])
    vocoder._load.cache_clear()
    yield
    vocoder._load.cache_clear()


def config(**options: object) -> RepresentationConfig:
    return RepresentationConfig(**{"representation": "mel", "bands": 40, "vocoder": "clicks", **options})


def test_samples_are_heard_by_it(stored, voices) -> None:
    format = describe(config(), stored(), None)
    assert format.signal["vocoder"] == "clicks"
    representation = representation_of(SampleFormat.from_json(format.to_json()))
    samples = representation.encode(voices)
    found = representation.decode(samples)
    assert found.shape == voices.shape
    wanted = representation.logarithms(voices).clamp(-1, 1).exp().mean(2)
    assert torch.allclose(found[..., ::64], wanted.clamp(-1, 1), atol=1e-4)
    assert not found[..., 1::64].any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hop": 32}, "hop=64, and these samples have hop=32"),
        ({"bands": 64}, "bands=40, and these samples have bands=64"),
        ({"window": 512}, "window=256, and these samples have window=512"),
    ],
)
def test_another_description_is_an_error_that_names_both(stored, options, said: str) -> None:
    with pytest.raises(ConfigError, match=f"^vocoder 'clicks' was trained for {said}; what it makes of them would be"):
        describe(config(**options), stored(), None)


def test_another_rate_or_kind_is_an_error_too(stored) -> None:
    other = SampleFormat(axes=("channel", "time"), shape=(1, 8192), value_range=(-32768.0, 32767.0), rate_hz=16000.0)
    with pytest.raises(ConfigError, match=r"rate_hz=8000\.0, and these samples have rate_hz=16000\.0"):
        describe(config(), other, None)
    with pytest.raises(ConfigError, match="representation=mel, and these samples have representation=linear"):
        describe(RepresentationConfig(vocoder="clicks"), stored(), None)


def test_one_that_is_not_installed_is_said_with_those_that_are(stored) -> None:
    with pytest.raises(ConfigError, match=r"^there is no vocoder 'hifi'; installed: clicks\. Griffin-Lim needs none$"):
        describe(config(vocoder="hifi"), stored(), None)


def test_a_waveform_needs_none(stored) -> None:
    with pytest.raises(ConfigError, match=r"task\.vocoder has no meaning for task\.representation=waveform"):
        describe(RepresentationConfig(representation="waveform", vocoder="clicks"), stored(), None)

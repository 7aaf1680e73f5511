"""How near sounds come back from each representation: the ceiling of whatever is generated in it.

Spectral convergence is the norm of the difference of two magnitude spectrograms over that of the real one; log-spectral
distance the root mean square of their difference in dB, on frames within 40 dB of the loudest and above -60 dB, both
averaged over clips. They are scored by a window of 64 ms at a quarter's hop, and not by the representation's own.

Run: python benchmarks/griffin_lim.py FOLDER [--count 60]      a folder of sounds of one rate
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import Representation, describe, fit_moments, representation_of
from wganx_audio.sound.levels import normalise
from wganx_audio.sound.reading import header, read, to_channels

from wganx import Formats, SampleFormat
from wganx.data import ArrayItems

CASES: Mapping[str, Mapping[str, Any]] = {
    "linear 256/128 (half overlap)": {"window": 256, "hop": 128},
    "linear 256/64, 16 iterations": {"window": 256, "hop": 64, "iterations": 16},
    "linear 256/64": {"window": 256, "hop": 64},
    "linear 512/128": {"window": 512, "hop": 128},
    "mel 64 of 512/64": {"representation": "mel", "window": 512, "hop": 64, "bands": 64},
    "mel 80 of 512/64": {"representation": "mel", "window": 512, "hop": 64, "bands": 80},
    "mel 128 of 512/64": {"representation": "mel", "window": 512, "hop": 64, "bands": 128},
    "phase 256/64": {"representation": "phase", "window": 256, "hop": 64},
}
CONVERTED = "linear 256/64"
"""In which a source's phases are tried for what was made of it."""
_SCORED_SECONDS = 0.064
_HEARD_DB, _FLOOR_DB = 40.0, -60.0


@dataclass(frozen=True)
class Score:
    """What was measured of one way there and back, averaged over clips; `milliseconds` a clip for the way back."""

    convergence: float
    distance_db: float
    milliseconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=60, help="clips, evenly spaced among the files")
    parser.add_argument("--length", type=int, default=8192, help="samples of a clip; longer ones are cut")
    arguments = parser.parse_args()
    waves_NCL, rate = clips(sorted(arguments.folder.glob("*.wav")), arguments.count, arguments.length)
    print(f"{len(waves_NCL)} clips at {rate:,} Hz, torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print("| representation | phases begun with | spectral convergence | log-spectral distance, dB | ms a clip |")
    print("|---|---|---|---|---|")
    for name, options in CASES.items():
        representation = fitted(waves_NCL, rate, options)
        print(f"| {name} | none | {row(measure(representation, waves_NCL))} |")
    representation = fitted(waves_NCL, rate, CASES[CONVERTED])
    voices = other_resonances(waves_NCL, rate)
    for what, wanted, source in (
        ("as if converted: other resonances", voices, waves_NCL),
        ("as if converted: another clip altogether", waves_NCL.roll(1, 0), waves_NCL),
    ):
        print(f"| {CONVERTED}, {what} | none | {row(measure(representation, wanted))} |")
        print(f"| {CONVERTED}, {what} | the source's | {row(measure(representation, wanted, source))} |")


def row(score: Score) -> str:
    return f"{score.convergence:.3f} | {score.distance_db:.2f} | {score.milliseconds:.0f}"


def clips(paths: Sequence[Path], count: int, length: int) -> tuple[Tensor, int]:
    """Sounds ``(N, 1, length)`` of one loudness, padded with silence; and their rate."""
    if not paths:
        raise SystemExit("there are no .wav files in this folder")
    chosen = paths[:: max(len(paths) // count, 1)][:count]
    rate = header(chosen[0], chosen[0].name).rate
    waves = []
    for path in chosen:
        sound_1L = normalise(to_channels(read(path, path.name, count=length), 1), rate)
        waves.append(torch.nn.functional.pad(sound_1L, (0, length - sound_1L.shape[1])))
    return torch.stack(waves), rate


def fitted(waves_NCL: Tensor, rate: int, options: Mapping[str, Any]) -> Representation:
    """The representation of these options, fitted to the clips as a training fits it to its items."""
    stored = SampleFormat(
        axes=("channel", "time"),
        shape=(waves_NCL.shape[1], waves_NCL.shape[2]),
        value_range=(-32768.0, 32767.0),
        rate_hz=float(rate),
    )
    items = ArrayItems({"sample": (waves_NCL * 32767).round().to(torch.int16)}, {"sample": stored})
    config = RepresentationConfig(**options)
    return representation_of(describe(config, stored, dict(fit_moments(config, Formats(items.formats), items))))


def measure(representation: Representation, waves_NCL: Tensor, phase_of: Tensor | None = None) -> Score:
    """There and back, clip by clip, with the phases of other sounds to begin with where they are given."""
    convergence = distance = seconds = 0.0
    for index in range(len(waves_NCL)):
        wave = waves_NCL[index : index + 1]
        samples = representation.encode(wave)
        begin = time.perf_counter()
        back = representation.decode(samples, phase_of=None if phase_of is None else phase_of[index : index + 1])
        seconds += time.perf_counter() - begin
        wanted_FT, found_FT = (magnitude(sound, representation.rate_hz) for sound in (wave, back))
        convergence += float((found_FT - wanted_FT).norm() / wanted_FT.norm())
        distance += log_spectral_distance(found_FT, wanted_FT)
    count = len(waves_NCL)
    return Score(convergence / count, distance / count, 1000 * seconds / count)


def other_resonances(waves_NCL: Tensor, rate: int) -> Tensor:
    """The same sounds from another throat: three bands up or down by 12 dB, so that pitch and time are kept."""
    from torchaudio.functional import equalizer_biquad

    changed = 0.25 * waves_NCL  # what the filters raise stays below the full scale
    for hertz, gain_db in ((0.06 * rate, 12.0), (0.15 * rate, -12.0), (0.3 * rate, 12.0)):
        changed = equalizer_biquad(changed, rate, hertz, gain_db, Q=1.0)
    return changed


def magnitude(wave_1CL: Tensor, rate: float) -> Tensor:
    """Magnitudes ``(F, T)`` by which clips are scored."""
    window = 2 ** round(torch.tensor(_SCORED_SECONDS * rate).log2().item())
    hann = torch.hann_window(window)
    return torch.stft(wave_1CL.flatten(), window, window // 4, window=hann, return_complex=True).abs()


def log_spectral_distance(found_FT: Tensor, wanted_FT: Tensor) -> float:
    """Root mean square over bins of the difference in dB, averaged over the frames that are heard."""
    power_T = wanted_FT.square().sum(0)
    heard_T = power_T > power_T.max() * 10 ** (-_HEARD_DB / 10)
    floor = wanted_FT.max() * 10 ** (_FLOOR_DB / 20)
    found_db, wanted_db = (20 * side_FT[:, heard_T].clamp_min(floor).log10() for side_FT in (found_FT, wanted_FT))
    return float((found_db - wanted_db).square().mean(0).sqrt().mean())


if __name__ == "__main__":
    main()

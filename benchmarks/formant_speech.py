"""Whether every label of formant speech can be heard: a small network learns all of them at once.

    python benchmarks/formant_speech.py [SEED]

Prints a table: the share of held-out items whose label it tells, among those whose pairs of labels it has heard, and
among those whose pairs were kept out of training.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram
from wganx_audio.configs.datasets import FormantSpeechConfig
from wganx_audio.datasets.formant_speech.items import FormantSpeech, open_formant_speech
from wganx_audio.datasets.formant_speech.phonology import EMOTIONS, HELD_OUT, LANGUAGES, SPEAKERS

from wganx import DataContext

FACTORS = ("word", "speaker", "emotion", "language")
_NAMES: dict[str, list[str]] = {"speaker": [*SPEAKERS], "emotion": [*EMOTIONS], "language": [*LANGUAGES]}
_EPOCHS, _BATCH, _BANDS, _FRAMES = 12, 50, 48, 64


class Probe(nn.Module):
    """Convolutions in common, and a head for each factor."""

    def __init__(self, classes: dict[str, int], width: int = 16) -> None:
        super().__init__()
        sizes = [1, width, 2 * width, 2 * width, 4 * width]
        halves = [
            nn.Sequential(nn.Conv2d(few, many, 3, padding=1), nn.BatchNorm2d(many), nn.ReLU(), nn.MaxPool2d(2))
            for few, many in pairwise(sizes)
        ]
        features = sizes[-1] * (_BANDS // 16) * (_FRAMES // 16)
        self.body = nn.Sequential(*halves, nn.Flatten(), nn.Dropout(0.3), nn.Linear(features, 128), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(128, count) for name, count in classes.items()})

    def forward(self, x_N1MT: Tensor) -> dict[str, Tensor]:
        features = self.body(x_N1MT)
        return {name: head(features) for name, head in self.heads.items()}


def spectra(items: FormantSpeech) -> tuple[Tensor, dict[str, Tensor]]:
    """Log-mel spectra ``(N, 1, M, T)`` and the labels of all items; their level is left as it is."""
    rows = [items[index] for index in range(len(items))]
    wave_NL = torch.cat([row["sample"] for row in rows]).float() / 32768
    mel = MelSpectrogram(8000, n_fft=512, hop_length=128, n_mels=_BANDS, power=1.0)
    log_NMT = (mel(wave_NL)[..., :_FRAMES] + 1e-3).log()
    return (log_NMT[:, None] + 3) / 2, {name: torch.stack([row[name] for row in rows]) for name in FACTORS}


def learn(x: Tensor, labels: dict[str, Tensor], classes: dict[str, int]) -> Probe:
    """A probe that learnt on all items, a little shifted in time."""
    probe = Probe(classes)
    optimizer = torch.optim.AdamW(probe.parameters(), 2e-3, weight_decay=1e-2)
    steps = _EPOCHS * (len(x) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(_EPOCHS):
        for rows in torch.split(torch.randperm(len(x)), _BATCH)[: len(x) // _BATCH]:
            scores = probe(torch.roll(x[rows], int(torch.randint(-3, 4, ())), dims=3))
            loss = torch.stack([nn.functional.cross_entropy(scores[name], labels[name][rows]) for name in FACTORS])
            optimizer.zero_grad()
            loss.sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return probe.eval()


def never_heard(labels: dict[str, Tensor]) -> Tensor:
    """Which items have a pair of labels that is kept out of training."""
    found = torch.zeros(len(labels["word"]), dtype=torch.bool)
    for (one, other), pairs in HELD_OUT.items():
        for first, second in pairs:
            alike = labels[one] == _NAMES[one].index(first), labels[other] == _NAMES[other].index(second)
            found |= alike[0] & alike[1]
    return found


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    torch.manual_seed(seed)
    config = FormantSpeechConfig()
    train, heldout = (open_formant_speech(config, split, DataContext(seed=seed)) for split in ("train", "heldout"))
    probe = learn(*spectra(train), {name: len(train.formats[name].classes) for name in FACTORS})
    x, labels = spectra(heldout)
    with torch.no_grad():
        right = {name: scores.argmax(1) == labels[name] for name, scores in probe(x).items()}
    new = never_heard(labels)
    print(f"{'':10} {'heard (' + str(int((~new).sum())) + ')':>12} {'new (' + str(int(new.sum())) + ')':>12}")
    for name, hits in right.items():
        print(f"{name:10} {hits[~new].float().mean():12.3f} {hits[new].float().mean():12.3f}")


if __name__ == "__main__":
    main()

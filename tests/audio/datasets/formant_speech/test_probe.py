"""A small network hears every label."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram
from wganx_audio.configs.datasets import FormantSpeechConfig
from wganx_audio.datasets.formant_speech.items import open_formant_speech

from wganx import DataContext, Items

FACTORS = ("word", "speaker", "emotion", "language")


def spectra(items: Items) -> tuple[Tensor, dict[str, Tensor]]:
    """Log-mel spectra ``(N, 1, M, T)`` and the labels of all items; their level is left as it is."""
    rows = [items[index] for index in range(len(items))]
    wave_NL = torch.cat([row["sample"] for row in rows]).float() / 32768
    mel = MelSpectrogram(8000, n_fft=512, hop_length=128, n_mels=64, power=1.0)
    log_NMT = (mel(wave_NL) + 1e-3).log()
    return (log_NMT[:, None] + 3) / 2, {name: torch.stack([row[name] for row in rows]) for name in FACTORS}


class Probe(nn.Module):
    """Convolutions in common, and a head for each factor."""

    def __init__(self, classes: dict[str, int], width: int = 24) -> None:
        super().__init__()
        sizes = [1, width, 2 * width, 2 * width, 4 * width]
        self.body = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(small, large, 3, padding=1), nn.BatchNorm2d(large), nn.ReLU(), nn.MaxPool2d(2))
                for small, large in pairwise(sizes)
            ),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(sizes[-1] * 4 * 4, 128),
            nn.ReLU(),
        )
        self.heads = nn.ModuleDict({name: nn.Linear(128, count) for name, count in classes.items()})

    def forward(self, x_N1MT: Tensor) -> dict[str, Tensor]:
        features = self.body(x_N1MT)
        return {name: head(features) for name, head in self.heads.items()}


@pytest.mark.slow
def test_a_probe_hears_every_label_also_of_pairs_it_never_heard():
    torch.manual_seed(0)
    config = FormantSpeechConfig()
    train, heldout = (open_formant_speech(config, split, DataContext()) for split in ("train", "heldout"))
    (x, labels), (new_x, new_labels) = spectra(train), spectra(heldout)
    probe = Probe({name: len(train.formats[name].classes) for name in FACTORS})
    epochs, batch = 18, 64
    optimizer = torch.optim.AdamW(probe.parameters(), 2e-3, weight_decay=1e-2)
    steps = epochs * (len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch)[: len(x) // batch]:
            shifted = torch.roll(x[rows], int(torch.randint(-3, 4, ())), dims=3)
            scores = probe(shifted)
            loss = sum(nn.functional.cross_entropy(scores[name], labels[name][rows]) for name in FACTORS)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    probe.eval()
    with torch.no_grad():
        right = {name: scores.argmax(1) == new_labels[name] for name, scores in probe(new_x).items()}
    accuracy = {name: float(hits.float().mean()) for name, hits in right.items()}
    assert all(value >= 0.95 for value in accuracy.values()), accuracy

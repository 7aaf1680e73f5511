"""The extractor `labels`: a network that learns every label of the training split, once, and is part of no game."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import ExtractorContext, SampleFormat, Split, Unavailable
from wganx_audio.configs.judges import LabelsConfig
from wganx_audio.judges.hearing import one_channel
from wganx_audio.judges.listener import Listener, LogMel, augmented

MOST_ITEMS, MOST_HELDOUT = 20_000, 4_000
BATCH = 64
_RATE, _DECAY, _SMOOTHING = 3e-3, 0.02, 0.05


def classes_of(formats: Mapping[str, SampleFormat]) -> dict[str, tuple[str, ...]]:
    """The labels that can be learnt, those of at least two classes, in the order of the items' keys."""
    return {name: format.classes for name, format in formats.items() if format.is_label and len(format.classes) > 1}


def labels(config: LabelsConfig, context: ExtractorContext) -> nn.Module:
    """A `Listener` that learnt the labels of the training split.

    Its seed, its features (mel bands of the sound at large, whatever the game's representation) and its width are its
    own, and no loss looks through it. The weights are kept in the cache by the fingerprint of the data, with the
    accuracy on held-out items of every label.

    Raises:
        Unavailable: the items have no labels, or every label is told too badly on held-out items.
    """
    found = classes_of(context.items("train").formats)
    if not found:
        raise Unavailable("extractor 'labels' learns the labels of the items, and these have none; use 'own' instead")
    classes = {name: len(names) for name, names in found.items()}

    def learn() -> Mapping[str, Tensor]:
        with torch.random.fork_rng([]), torch.enable_grad():
            torch.manual_seed(context.seed + 1)
            fresh = Listener(context.game.sample, classes).to(context.device)
            _learn(fresh, config.updates, context)
        return fresh.state_dict()

    with torch.random.fork_rng([]):
        network = Listener(context.game.sample, classes)
    network.load_state_dict(dict(context.keep(learn)))
    if not any(network.trusts(place) for place in range(len(classes))):
        told = ", ".join(f"{name} {share:.0%}" for name, share in zip(classes, network.accuracy.tolist()))
        raise Unavailable(
            f"extractor 'labels' tells too few held-out labels right to be trusted ({told}); let it learn for longer "
            "(--set evaluate.extractors.labels.updates), or use 'own'"
        )
    return network.eval()


def _learn(network: Listener, updates: int, context: ExtractorContext) -> None:
    """AdamW with a warm-up and a cosine's decay of its rate, on labels that are smoothed by a twentieth."""
    rng = torch.Generator().manual_seed(context.seed + 1)
    mel_NMT, told = _read("train", MOST_ITEMS, network, context, rng)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=max(updates, 2))
    network.train()
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(updates):
        if len(order) < min(BATCH, len(mel_NMT)):
            order = torch.randperm(len(mel_NMT), generator=rng)
        rows, order = order[:BATCH], order[BATCH:]
        logits = network.tell(augmented(mel_NMT[rows].to(context.device).float(), rng))
        wanted = told[rows].to(context.device)
        losses = [F.cross_entropy(each, wanted[:, at], label_smoothing=_SMOOTHING) for at, each in enumerate(logits)]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    network.eval()
    network.standardise(mel_NMT[:MOST_HELDOUT].to(context.device).float())
    mel_NMT, told = _read("heldout", MOST_HELDOUT, network, context, rng)
    with torch.no_grad():
        right = [
            torch.stack([logits.argmax(1).cpu() for logits in network.tell(part.to(context.device).float())], 1) == said
            for part, said in zip(torch.split(mel_NMT, 256), torch.split(told, 256))
        ]
    network.accuracy.copy_(torch.cat(right).double().mean(0))


def _read(
    split: Split, most: int, network: Listener, context: ExtractorContext, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Log mel bands ``(N, M, T)`` in half precision of up to `most` items as they are stored, and labels ``(N, K)``."""
    items = context.items(split)
    chosen = torch.randperm(len(items), generator=rng)[:most].tolist()
    mel = LogMel(network.rate_hz)
    heard, told = [], []
    for start in range(0, len(chosen), BATCH):
        drawn = [items[index] for index in chosen[start : start + BATCH]]
        wave_NCL = torch.stack([item["sample"] for item in drawn]).float() / 32768
        heard.append(mel(one_channel(wave_NCL)).half())
        told.append(torch.tensor([[int(item[name]) for name in network.labels] for item in drawn]))
    return torch.cat(heard), torch.cat(told)

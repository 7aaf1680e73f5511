"""Networks whose features metrics compare: a classifier of the dataset's own classes, by every label it has."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Config, DataError, ExtractorContext, Game, Items, SampleFormat

_MOST_TRAINING_ITEMS = 20_000
_BATCH_SIZE = 64
_UPDATES = 600  # 27 passes over the small digits; enough for 0.99 on them


def classifier(config: Config, context: ExtractorContext) -> nn.Module:
    """A small convolutional classifier of the training split; its features are the logits ``(N, classes)``.

    Of several labels, such as the attributes of a face, the logits stand one after the other: `by_label` tells them
    apart.

    Raises:
        DataError: the dataset names no classes.
    """
    train = context.items("train")
    counts = class_counts(train.formats)
    if not counts:
        raise DataError("extractor 'classes' learns the dataset's classes, and this one names none")
    channels, classes = train.formats["sample"].sizes[0], sum(counts.values())

    def learn() -> Mapping[str, Tensor]:
        rng = torch.Generator().manual_seed(context.seed)
        with torch.random.fork_rng([]), torch.enable_grad():
            torch.manual_seed(context.seed)
            network = _network(channels, classes).to(context.device)
            real_NCHW, labels = labelled(context.game, train, _MOST_TRAINING_ITEMS, rng)
            known = {name: rows.to(context.device) for name, rows in labels.items()}
            _fit(network, real_NCHW.to(context.device), known, counts, rng)
        return network.state_dict()

    with torch.random.fork_rng([]):
        network = _network(channels, classes)
    network.load_state_dict(dict(context.keep(learn)))
    return network


def class_counts(formats: Mapping[str, SampleFormat]) -> dict[str, int]:
    """The number of classes of every label that items have."""
    return {name: len(format.classes) for name, format in formats.items() if format.is_label}


def by_label(logits_NK: Tensor, counts: Mapping[str, int]) -> dict[str, Tensor]:
    """The classifier's logits of every label ``(N, classes)``, whose counts are those of `class_counts`."""
    return dict(zip(counts, torch.split(logits_NK, list(counts.values()), dim=1)))


def labelled(game: Game, items: Items, most: int, rng: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """Up to `most` items, drawn without replacement, as the game shows them to the critic; and all their labels."""
    chosen = torch.randperm(len(items), generator=rng)[:most].tolist()
    parts: list[Tensor] = []
    labels: dict[str, list[Tensor]] = {name: [] for name in class_counts(items.formats)}
    # Read in their own order: neighbours lie together in archives, and are drawn together.
    found = {index: items[index] for index in sorted(chosen)}
    for start in range(0, len(chosen), _BATCH_SIZE):
        drawn = [found[index] for index in chosen[start : start + _BATCH_SIZE]]
        stacked = {name: torch.stack([item[name] for item in drawn]) for name in drawn[0]}
        parts.append(game.batch(stacked, rng, training=False).real)
        for name, rows in labels.items():
            rows.append(stacked[name])
    return torch.cat(parts), {name: torch.cat(rows) for name, rows in labels.items()}


def _network(channels: int, classes: int) -> nn.Module:
    def halved(c_in: int, c_out: int) -> list[nn.Module]:
        return [nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]

    pooled = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 16, classes)]
    return nn.Sequential(*halved(channels, 16), *halved(16, 32), *pooled)


def _fit(
    classifier: nn.Module,
    real_NCHW: Tensor,
    labels: Mapping[str, Tensor],
    counts: Mapping[str, int],
    rng: torch.Generator,
) -> None:
    """Adam on batches shifted by up to one pixel, with a warm-up and a decay of the rate; left in evaluation mode."""
    optimizer = torch.optim.Adam(classifier.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=_UPDATES)
    classifier.train()
    for _ in range(_UPDATES):
        rows = torch.randint(len(real_NCHW), (_BATCH_SIZE,), generator=rng).to(real_NCHW.device)
        down, right = torch.randint(-1, 2, (2,), generator=rng).tolist()
        shifted = real_NCHW[rows].roll((down, right), dims=(2, 3))
        found = by_label(classifier(shifted), counts)
        loss = torch.stack([F.cross_entropy(logits, labels[name][rows]) for name, logits in found.items()]).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    classifier.eval()

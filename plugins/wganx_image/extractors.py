"""Networks whose features metrics compare: a classifier of the dataset's own classes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Config, DataError, ExtractorContext, Game, Items

_MOST_TRAINING_ITEMS = 20_000
_BATCH_SIZE = 64
_UPDATES = 600  # 27 passes over the small digits; enough for 0.99 on them


def classifier(config: Config, context: ExtractorContext) -> nn.Module:
    """A small convolutional classifier of the training split; its features are the logits ``(N, classes)``.

    Raises:
        DataError: the dataset names no classes.
    """
    train = context.items("train")
    if "label" not in train.formats:
        raise DataError("extractor 'classes' learns the dataset's classes, and this one names none")
    channels, classes = train.formats["sample"].sizes[0], len(train.formats["label"].classes)

    def learn() -> Mapping[str, Tensor]:
        rng = torch.Generator().manual_seed(context.seed)
        with torch.random.fork_rng([]), torch.enable_grad():
            torch.manual_seed(context.seed)
            network = _network(channels, classes).to(context.device)
            real_NCHW, label_N = labelled(context.game, train, _MOST_TRAINING_ITEMS, rng)
            _fit(network, real_NCHW.to(context.device), label_N.to(context.device), rng)
        return network.state_dict()

    with torch.random.fork_rng([]):
        network = _network(channels, classes)
    network.load_state_dict(dict(context.keep(learn)))
    return network


def labelled(game: Game, items: Items, most: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Up to `most` items, drawn without replacement, as the game shows them to the critic; and their labels."""
    chosen = torch.randperm(len(items), generator=rng)[:most].tolist()
    parts, labels = [], []
    for start in range(0, len(chosen), _BATCH_SIZE):
        drawn = [items[index] for index in chosen[start : start + _BATCH_SIZE]]
        stacked = {name: torch.stack([item[name] for item in drawn]) for name in drawn[0]}
        parts.append(game.batch(stacked, rng, training=False).real)
        labels.append(stacked["label"])
    return torch.cat(parts), torch.cat(labels)


def _network(channels: int, classes: int) -> nn.Module:
    def halved(c_in: int, c_out: int) -> list[nn.Module]:
        return [nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]

    pooled = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 16, classes)]
    return nn.Sequential(*halved(channels, 16), *halved(16, 32), *pooled)


def _fit(classifier: nn.Module, real_NCHW: Tensor, label_N: Tensor, rng: torch.Generator) -> None:
    """Adam on batches shifted by up to one pixel, with a warm-up and a decay of the rate; left in evaluation mode."""
    optimizer = torch.optim.Adam(classifier.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=_UPDATES)
    classifier.train()
    for _ in range(_UPDATES):
        rows = torch.randint(len(real_NCHW), (_BATCH_SIZE,), generator=rng).to(real_NCHW.device)
        down, right = torch.randint(-1, 2, (2,), generator=rng).tolist()
        shifted = real_NCHW[rows].roll((down, right), dims=(2, 3))
        loss = F.cross_entropy(classifier(shifted), label_N[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    classifier.eval()

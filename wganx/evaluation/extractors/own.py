"""The extractor `own`: a small network that learns the user's own training split, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from wganx.batch import SampleFormat
from wganx.errors import Unavailable
from wganx.evaluation.batches import gather
from wganx.evaluation.extractors.own_network import OwnNetwork
from wganx.evaluation.extractors.pretext import Turn, turns
from wganx.plugins.contracts import ExtractorContext, Split
from wganx.plugins.descriptors import Config

MOST_ITEMS, MOST_BYTES = 20_000, 128 * 2**20
"""Training items it learns from, and the memory they may take in half precision."""
MOST_HELDOUT = 2_000
BATCH = 64
LEARNT = 0.005
"""The share of mistakes, averaged over about twenty batches, below which nothing is left to learn."""
TRUSTED = 1 / 3
"""How far its accuracy on held-out items must lie on the way from guessing to 1."""


class OwnConfig(Config):
    """What it learns, and how long."""

    label: str | None = Field(None, description="the label it learns; null for the first, or none")
    updates: int = Field(600, ge=1, description="batches of 64 it learns from, fewer where nothing is left to learn")


def label_to_learn(formats: Mapping[str, SampleFormat], name: str | None = None) -> tuple[str, tuple[str, ...]] | None:
    """The label that `own` learns, with its classes: the one named, or else the first of at least two classes."""
    labels = {key: format for key, format in formats.items() if format.is_label and len(format.classes) > 1}
    if name is None:
        name = next(iter(labels), None)
    elif name not in labels:
        raise Unavailable(f"extractor 'own' finds no label {name!r}; labels: {', '.join(labels) or 'none'}")
    return None if name is None else (name, labels[name].classes)


def own(config: OwnConfig, context: ExtractorContext) -> nn.Module:
    """A small network that tells the classes of the training split apart, or how samples were turned.

    It learns once: the weights are kept in the cache by the fingerprint of the data, with the accuracy on held-out
    items. It is no part of any game, so no generator was ever trained against it.

    Raises:
        Unavailable: there is nothing to learn, or its held-out accuracy lies less than a third of the way from
            guessing to 1.
    """
    format = context.game.sample
    found = label_to_learn(context.items("train").formats, config.label)
    label: str | None = None
    ways: Sequence[Turn] = ()
    if found is not None:
        label, count, what = found[0], len(found[1]), f"classes of {found[0]!r}"
    else:
        what, ways = turns(format)
        count = len(ways)
        if not ways:
            raise Unavailable(
                "extractor 'own' has nothing to learn: the data names no classes, and points cannot be turned; "
                "use the extractor 'values', or give one of your own (--extractor FILE)"
            )
    try:
        with torch.random.fork_rng([]):
            network = OwnNetwork(format, count)
    except ValueError as error:
        raise Unavailable(f"extractor 'own': {error}; give one of your own (--extractor FILE)") from error

    def learn() -> Mapping[str, Tensor]:
        with torch.random.fork_rng([]), torch.enable_grad():
            torch.manual_seed(context.seed)
            fresh = OwnNetwork(format, count).to(context.device)
            _learn(fresh, _Lessons(context, label, ways), config.updates, context)
        return fresh.state_dict()

    network.load_state_dict(dict(context.keep(learn)))
    accuracy, guessing = float(network.accuracy), 1 / count
    if accuracy < guessing + TRUSTED * (1 - guessing):
        raise Unavailable(
            f"extractor 'own' tells {accuracy:.0%} of held-out {what} right, where guessing gives {guessing:.0%}: too "
            "few for its features to be trusted; give one of your own (--extractor FILE), or let it learn for longer "
            "(--set evaluate.extractors.own.updates)"
        )
    return network.eval()


class _Lessons:
    """Samples with what is to be said of them."""

    def __init__(self, context: ExtractorContext, label: str | None, ways: Sequence[Turn]) -> None:
        self._context, self._label, self._ways = context, label, ways
        self._rng = torch.Generator().manual_seed(context.seed)

    def read(self, split: Split, most: int) -> tuple[Tensor, Tensor]:
        """Up to `most` samples in half precision and their classes (0 where there are none)."""
        items, game = self._context.items(split), self._context.game
        order = torch.randperm(len(items), generator=self._rng).tolist()
        samples: list[Tensor] = []
        labels: list[Tensor] = []
        held = 0
        draws = torch.Generator().manual_seed(self._context.seed)
        for start in range(0, min(len(order), most), BATCH):
            stored = gather(items, order[start : min(start + BATCH, most)], torch.device("cpu"))
            real = game.batch(stored, draws, training=False).real.half()
            samples.append(real)
            labels.append(stored[self._label] if self._label else torch.zeros(len(real), dtype=torch.int64))
            held += real.nbytes
            if held > MOST_BYTES:
                break
        return torch.cat(samples), torch.cat(labels)

    def pose(self, samples: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What the network is shown, and what it should say."""
        if self._label is not None:
            return samples, labels
        which = torch.randint(len(self._ways), (len(samples),), generator=self._rng).to(samples.device)
        turned = samples.clone()
        for number, way in enumerate(self._ways):
            turned[which == number] = way(samples[which == number])
        return turned, which

    def shifted(self, samples: Tensor) -> Tensor:
        """Moved by a pixel or so along every axis but the channel's, which changes no class."""
        format = self._context.game.sample
        places = [place + 1 for place, axis in enumerate(format.axes) if axis != "channel" and len(format.axes) > 1]
        for place in places:
            reach = max(1, samples.shape[place] // 16)
            samples = samples.roll(int(torch.randint(-reach, reach + 1, (), generator=self._rng)), place)
        return samples

    def rows(self, count: int) -> Tensor:
        """A batch of row numbers below `count`."""
        return torch.randint(count, (BATCH,), generator=self._rng)


def _learn(network: OwnNetwork, lessons: _Lessons, updates: int, context: ExtractorContext) -> None:
    """Adam with a warm-up and a decay of the rate; then the moments of its features, and its held-out accuracy."""
    samples, labels = lessons.read("train", MOST_ITEMS)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=max(updates, 2))
    network.train()
    mistakes = 1.0
    for _ in range(updates):
        rows = lessons.rows(len(samples))
        x, wanted = lessons.pose(samples[rows].to(context.device).float(), labels[rows].to(context.device))
        logits = network.logits(lessons.shifted(x))
        loss = F.cross_entropy(logits, wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        mistakes = 0.95 * mistakes + 0.05 * float((logits.argmax(dim=1) != wanted).double().mean())
        if mistakes < LEARNT:
            break
    network.eval()
    network.standardise(samples[:MOST_HELDOUT].to(context.device).float())
    right = total = 0
    heldout, labels = lessons.read("heldout", MOST_HELDOUT)
    with torch.no_grad():
        for part, asked in zip(torch.split(heldout, BATCH), torch.split(labels, BATCH)):
            x, wanted = lessons.pose(part.to(context.device).float(), asked.to(context.device))
            right += int((network.logits(x).argmax(dim=1) == wanted).sum())
            total += len(x)
    network.accuracy.fill_(right / total)

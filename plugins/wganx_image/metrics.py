"""Numbers about pictures: what a classifier of the real ones makes of them, and how far their pixels lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Batch, Items, MetricContext

_MOST_TRAINING_ITEMS = 20_000
_MOST_HELDOUT_ITEMS = 5_000
_BATCH_SIZE = 64
_UPDATES = 600  # 27 passes over the small digits; enough for 0.99 on them
_PROJECTIONS = 256


def class_score(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    """How clearly the samples belong to classes, and to how many: ``exp(E_x KL(p(y|x) || p(y)))``.

    The inception score of Salimans et al. 2016, read by a classifier of this dataset's own classes, which is trained
    on its real training split: 1 for samples of one kind or of none, the number of classes at best. Numbers compare
    only between runs on the same dataset, size and seed. Empty without classes.

    Returns:
        ``class_score``; ``least_class_share``, the share of samples in the class that the classifier sees least; and
        ``classifier_accuracy`` on held-out real pictures, which says how far to trust both; ``label_match``, the
        share of samples that are seen as the class they were asked for, where the generator is given one.
    """
    classes = len(context.items("train").format.classes)
    if not classes:
        return {}
    classifier, accuracy = _classifier(context, candidate.real.device)
    log_share_NK = _log_shares(classifier, candidate.real)
    share_NK = log_share_NK.exp()
    log_marginal_K = share_NK.mean(dim=0).clamp(min=torch.finfo(torch.float64).tiny).log()
    divergence_N = (share_NK * (log_share_NK - log_marginal_K)).sum(dim=1)
    seen_N = share_NK.argmax(dim=1)
    found = {
        "class_score": divergence_N.mean().exp().item(),
        "least_class_share": seen_N.bincount(minlength=classes).min().item() / len(seen_N),
        "classifier_accuracy": accuracy,
    }
    if "label" in candidate.context:
        found["label_match"] = (seen_N == candidate.context["label"]).double().mean().item()
    return found


def sliced_w1(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    """Sliced Wasserstein distance of the pixels: the mean W1 of both sets' projections on 256 random directions.

    ``E_θ W1(θ·x, θ·y)`` with θ uniform on the unit sphere (Bonneel et al. 2015); in units of pixel value, 0 at best,
    the floor of finite samples in practice.
    """
    import ot

    distance = ot.sliced_wasserstein_distance(
        candidate.real.flatten(1).double().cpu().numpy(),
        reference.real.flatten(1).double().cpu().numpy(),
        n_projections=_PROJECTIONS,
        p=1,
        seed=context.seed,
    )
    return {"sliced_w1": float(distance)}


@lru_cache(maxsize=1)  # one evaluation asks for samples, floor and baselines in turn, with the same context
def _classifier(context: MetricContext, device: torch.device) -> tuple[nn.Module, float]:
    """A small convolutional classifier of the training split, and its accuracy on the held-out one."""
    train, heldout = context.items("train"), context.items("heldout")
    rng = torch.Generator().manual_seed(context.seed)
    with torch.random.fork_rng([]), torch.enable_grad():
        torch.manual_seed(context.seed)
        classifier = _network(train.format.shape[0], len(train.format.classes)).to(device)
        real_NCHW, label_N = _labelled(context, train, _MOST_TRAINING_ITEMS, rng)
        _fit(classifier, real_NCHW.to(device), label_N.to(device), rng)
    heldout_NCHW, heldout_label_N = _labelled(context, heldout, _MOST_HELDOUT_ITEMS, rng)
    seen_N = _log_shares(classifier, heldout_NCHW.to(device)).argmax(dim=1).cpu()
    return classifier, (seen_N == heldout_label_N).double().mean().item()


def _labelled(context: MetricContext, items: Items, most: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Up to `most` items, drawn without replacement, as the game shows them to the critic; and their labels."""
    chosen = torch.randperm(len(items), generator=rng)[:most].tolist()
    parts, labels = [], []
    for start in range(0, len(chosen), _BATCH_SIZE):
        drawn = [items[index] for index in chosen[start : start + _BATCH_SIZE]]
        stacked = {name: torch.stack([item[name] for item in drawn]) for name in drawn[0]}
        parts.append(context.game.batch(stacked, rng, training=False).real)
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


@torch.no_grad()
def _log_shares(classifier: nn.Module, pictures_NCHW: Tensor) -> Tensor:
    """``log p(y|x)`` of every picture, ``(N, classes)`` in float64."""
    logits = [classifier(part) for part in torch.split(pictures_NCHW.float(), 500)]
    return torch.cat(logits).double().log_softmax(dim=1)

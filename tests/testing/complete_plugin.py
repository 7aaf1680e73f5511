"""A plugin with a part of every kind, which keeps every promise; the bad ones differ from it in a line or two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import torch
from torch import nn

from wganx import (
    AdaptiveAugmentation,
    Architecture,
    Batch,
    Config,
    ConstraintPart,
    DataCard,
    Dataset,
    Extractor,
    Game,
    HealthCheck,
    Helper,
    Metric,
    Modality,
    ObjectivePart,
    Optimizer,
    OptimizerPart,
    Preview,
    SampleFormat,
    Scenario,
    Task,
    hookimpl,
    option,
)
from wganx.data import ArrayItems
from wganx.wasserstein import Objective, Penalty, PenaltyTerms, gradient_norms, interpolate

WGANX_API = 1
WGANX_EXTENDS = ()


class BitsConfig(Config):
    count: int = 64


class Bits(ArrayItems):
    def __getitem__(self, index):
        item = super().__getitem__(index)
        return item  # noqa: RET504 - a line for what is wrong with items


def open_bits(config, split, context):
    rng = torch.Generator().manual_seed(2 * context.seed + (split == "heldout"))
    label = torch.randint(3, (config.count,), generator=rng)
    sample = torch.randint(0, 256, (config.count, 2, 4), generator=rng)
    sample = (sample // 4 + 20 * label[:, None, None]).to(torch.uint8)
    stored = SampleFormat(axes=("row", "column"), shape=(2, 4), value_range=(0.0, 255.0))
    return Bits({"sample": sample, "label": label}, {"sample": stored, "label": SampleFormat.label(("a", "b", "c"))})


def fit_bits(config, context):
    return {"mean": 0.5, "spread": torch.ones(2)}


def count_bits(config, formats, items):
    return {"bits": sum(int(items[index]["sample"].sum()) for index in range(len(items))), "draw": 0.5}


class Generate(Game):
    def __init__(self, config, formats):
        label = formats.need("label", "task.name=generate")
        self.sample = SampleFormat(axes=("row", "column"), shape=(2, 4))
        self.context = self.condition = {"label": label}
        self.helpers = {"eye": Helper(nn.Linear(8, 2))}
        self.adapt = AdaptiveAugmentation()

    def batch(self, items, rng, *, training):
        real = items["sample"].float() / 127.5 - 1
        if training:
            real = (real + 0.01 * torch.randn(real.shape, generator=rng, device=real.device)).clamp(-1, 1)
        given = {"label": items["label"]}
        return Batch(real, context=given, condition=given)

    def augment(self, samples, rng, strength):
        turned = torch.rand(len(samples), 1, 1, generator=rng, device=samples.device) < strength
        return torch.where(turned, samples.flip(1), samples)

    def baselines(self):
        return {"noise": noise}

    def generator_losses(self, networks, fake, batch, step):
        return {"closeness": networks.helpers["eye"](fake.flatten(1)).square().mean()}

    def apply(self, source, make, sink):
        for start in range(0, source.length, 2):
            rows = source.read(start, 2)
            sink.write((rows + make({})[0, : len(rows)]) / 2)

    def at(self, step):
        return step // 1000


def noise(batch, rng):
    return torch.rand(batch.real.shape, generator=rng) * 2 - 1


class Generator(nn.Module):
    def __init__(self, config, context):
        super().__init__()
        self.classes = len(context.inputs["label"].classes)
        self.hidden = nn.Linear(context.noise[0] + self.classes, 16)
        self.out = nn.Linear(16, 8)

    def forward(self, noise, label):
        one_hot = (label[:, None] == torch.arange(self.classes, device=label.device)).to(noise.dtype)
        made = self.hidden(torch.cat([noise, one_hot], dim=1))
        return self.out(made.relu()).tanh().reshape(-1, 2, 4)

    def at(self, step):
        return step // 1000


class Critic(nn.Module):
    def __init__(self, config, context):
        super().__init__()
        self.classes = len(context.inputs["label"].classes)
        self.hidden = nn.Linear(8 + self.classes, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x, label):
        one_hot = (label[:, None] == torch.arange(self.classes, device=label.device)).to(x.dtype)
        seen = torch.cat([x.flatten(1), one_hot], dim=1)
        scores = self.out(nn.functional.leaky_relu(self.hidden(seen), 0.2))
        return scores.squeeze(1)


def mean_gap(sides, context):
    return {"gap": (sides.candidate.real.mean(0) - sides.reference.real.mean(0)).abs().mean().item()}


def load_eye(config, context):
    torch.manual_seed(context.seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(8, 4))


def write_bits(batch, format, folder, stem):
    paths = [folder / f"{stem}-{index:04d}.pt" for index in range(len(batch))]
    for path, sample in zip(paths, batch.real):
        torch.save(sample.clone(), path)
    return paths


def preview_bits(samples, reference, format, folder, stem):
    return Preview(((samples + 1) * 127.5).byte().reshape(1, -1, 4))


class File:
    def __init__(self, sample):
        self.sample = sample
        self.format = SampleFormat(axes=("row", "column"), shape=(None, 4))
        self.length = len(sample)

    def read(self, start, count):
        return self.sample[start : start + count]


class Sink:
    def __init__(self, path):
        self.path, self.chunks = path, []

    def expect(self, format):
        if self.chunks:
            raise ValueError("expected too late")

    def write(self, chunk):
        self.chunks.append(chunk)

    def close(self):
        torch.save(torch.cat(self.chunks), self.path)


def open_file(path):
    return File(torch.load(path))


def create_file(path, like):
    return Sink(path)


@dataclass(frozen=True)
class Hill(Penalty):
    name = "kit-hill"
    reads_w1 = True
    margin: float = option(0.0, "free slope", ge=0)

    def terms(self, critic, real, fake, condition, rng=None):
        norms = gradient_norms(critic, interpolate(real, fake, rng), condition)
        return PenaltyTerms(self.weight * (norms - 1).square().mean(), norms.detach().mean())


@dataclass(frozen=True)
class Plain(Objective):
    name = "kit-plain"

    def critic_loss(self, real_scores, fake_scores):
        return fake_scores.mean() - real_scores.mean()

    def generator_loss(self, fake_scores, real_scores=None):
        return -fake_scores.mean()


@dataclass(frozen=True)
class Slow(Optimizer):
    pass


def dull(vitals):
    spread = vitals.fake.float().std().item()
    return "all values are alike" if spread < 1e-6 else None


@click.command()
def hello():
    """Say hello."""
    click.echo("hello")


@hookimpl
def wganx_modalities():
    yield Modality(
        name="bits",
        summary="bits",
        axes=("row", "column"),
        write=write_bits,
        preview=preview_bits,
        open=open_file,
        create=create_file,
    )


@hookimpl
def wganx_datasets():
    card = DataCard(source="drawn", licence="MIT", offline=True)
    yield Dataset(
        name="bits", modality="bits", summary="bits", config=BitsConfig, open=open_bits, fit=fit_bits, card=card
    )


@hookimpl
def wganx_tasks():
    yield Task(name="generate", modality="bits", summary="bits from noise", build=Generate, fit=count_bits)


@hookimpl
def wganx_architectures():
    yield Architecture(name="small", modality="bits", role="generator", summary="small", build=Generator)
    yield Architecture(name="small", modality="bits", role="critic", summary="small", build=Critic)


@hookimpl
def wganx_metrics():
    yield Metric(name="gap", modality="bits", summary="mean gap", compute=mean_gap, better={"gap": "lower"})


@hookimpl
def wganx_extractors():
    card = DataCard(source="drawn", licence="MIT", offline=True)
    yield Extractor(name="eye", modality="bits", summary="an eye", load=load_eye, card=card)


@hookimpl
def wganx_constraints():
    yield ConstraintPart(name="kit-hill", summary="a hill", build=Hill)


@hookimpl
def wganx_objectives():
    yield ObjectivePart(name="kit-plain", summary="plain", build=Plain)


@hookimpl
def wganx_optimizers():
    yield OptimizerPart(name="slow", summary="Adam", build=Slow)


@hookimpl
def wganx_health_checks():
    yield HealthCheck(name="dull", code="BI001", summary="dull", modality="bits", mend="train on", inspect=dull)


@hookimpl
def wganx_commands():
    return [hello]


@hookimpl
def wganx_scenarios():
    config = {
        "dataset": {"name": "bits"},
        "task": {"name": "generate"},
        "generator": {"name": "small", "noise": 4},
        "critic": {"name": "small"},
        "train": {"steps": 10, "batch_size": 4, "critic_steps": 1},
    }
    yield Scenario(name="bits", modality="bits", summary="bits", config=config)


@hookimpl
def wganx_progress(run, step, scalars):
    with (Path(run.folder) / "told.txt").open("a", encoding="utf-8") as file:
        file.write(f"{step}\n")

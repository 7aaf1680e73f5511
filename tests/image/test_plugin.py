"""What the plugin declares: found by name, listed without torch, every part opened through its descriptor."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from wganx import (
    Architecture,
    Batch,
    Config,
    DataContext,
    Dataset,
    Formats,
    Metric,
    MetricContext,
    Modality,
    SampleFormat,
    Scenario,
    Sides,
    Task,
)
from wganx.config import resolve
from wganx.plugins import Catalog, load

Save = Callable[..., Path]
FROM_NOISE = [
    "digits", "mnist", "fashion-mnist", "cifar10", "faces", "scenes", "mnist-gpu", "cifar10-gpu", "faces-gpu",
    "scenes-gpu", "faces-tiny", "scenes-tiny", "growing", "photos",
]  # fmt: skip
FROM_SOURCES = ["style-transfer", "style-transfer-tiny", "faces-translation"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(["image"])


def test_declaring_imports_neither_torch_nor_pillow() -> None:
    code = (
        "import sys, wganx_image as plugin\n"
        "hooks = [name for name in dir(plugin) if name.startswith('wganx_')]\n"
        "offers = [offer for hook in hooks if callable(getattr(plugin, hook)) for offer in getattr(plugin, hook)()]\n"
        "assert len(offers) > 15, offers\n"
        "print([name for name in ('torch', 'torchvision', 'PIL', 'sklearn', 'numpy', 'ot') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr


def test_what_is_offered(catalog: Catalog) -> None:
    assert [offer.name for offer in catalog.offers(Scenario)] == FROM_NOISE + FROM_SOURCES
    assert catalog.default_scenario.name == "digits"
    assert {offer.name for offer in catalog.offers(Dataset)} == {
        "digits", "mnist", "fashion-mnist", "cifar10", "celeba", "lsun", "folder",
        "procedural-faces", "procedural-scenes", "procedural-styles", "webdataset",
    }  # fmt: skip
    assert [(offer.name, offer.role) for offer in catalog.offers(Architecture)] == [
        ("dcgan", "generator"), ("dcgan", "critic"), ("resnet", "generator"), ("resnet", "critic"),
        ("growing", "generator"), ("growing", "critic"), ("growing-packs", "critic"),
        ("r3", "generator"), ("r3", "critic"),
        ("translator", "generator"), ("translator", "critic"), ("gan-zoo", "generator"), ("mimicry", "generator"),
    ]  # fmt: skip
    assert [offer.name for offer in catalog.offers(Task)] == ["generate", "grow", "translate"]
    assert [offer.axes for offer in catalog.offers(Modality)] == [("channel", "height", "width")]


def test_datasets_that_need_no_network_and_no_files_and_the_default_s_is_one(catalog: Catalog) -> None:
    offline = [
        offer.name
        for offer in catalog.offers(Dataset)
        if offer.card.offline and "root" not in offer.config.model_fields
    ]
    assert offline == ["digits", "procedural-faces", "procedural-scenes", "procedural-styles"]
    assert resolve(plugin="image", environ={}).parts.dataset.name == "digits"


@pytest.mark.parametrize("scenario", FROM_NOISE)
def test_every_scenario_is_valid_and_its_networks_fit_its_pictures(
    scenario: str, context: Callable[..., object]
) -> None:
    own = ["dataset.root=.", "dataset.size=64"] if scenario == "photos" else []
    resolved = resolve(plugin="image", scenario=scenario, settings=own, environ={})
    run, parts = resolved.run, resolved.parts
    size = run.dataset.size  # type: ignore[attr-defined]
    channels = 1 if run.dataset.name in ("digits", "mnist", "fashion-mnist") else 3
    classes = (
        10 if getattr(run.task, "labels", False) else 0
    )  # of one label; several: tests/image/networks/test_labels.py
    fitted = fitted_by(parts.task, run.task, channels, size)
    (noise,) = run.generator.noise_shape
    with torch.device("meta"):
        generator = parts.generator.factory("build")(
            run.generator, context(channels, size, noise=noise, classes=classes, fitted=fitted)
        )
        critic = parts.critic.factory("build")(run.critic, context(channels, size, classes=classes, fitted=fitted))
        rows, pack = 2, parts.critic.couples_rows
        given = {"label": torch.zeros(rows, dtype=torch.int64)} if classes else {}
        fake = generator(torch.randn(rows * pack, noise), **given)
        assert fake.shape == (rows * pack, channels, size, size)
        assert critic(fake.unflatten(0, (rows, pack)) if pack > 1 else fake, **given).shape == (rows,)


def fitted_by(task: Task, config: Config, channels: int, size: int) -> Mapping[str, Any]:
    """What a task fits to pictures of that size, of which it looks at nothing else."""
    sample = SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size))
    return task.factory("fit")(config, Formats({"sample": sample}), []) if task.fit else {}


def test_pictures_of_one_s_own_keep_the_default_networks(tmp_path: Path, save_picture: Save) -> None:
    for number in range(8):
        save_picture(tmp_path / f"{number}.jpg", (50, 40))
    resolved = resolve(plugin="image", data=tmp_path, environ={})
    parts, run = resolved.parts, resolved.run
    assert (parts.dataset.name, parts.generator.name, parts.critic.name) == ("folder", "dcgan", "dcgan")
    items = parts.dataset.factory("open")(run.dataset, "train", DataContext())
    assert items.formats["sample"].shape == (3, 32, 32)


def test_the_probe_of_the_folder_dataset_scans(tmp_path: Path, save_picture: Save, catalog: Catalog) -> None:
    from wganx.data import scan

    (folder,) = [offer for offer in catalog.offers(Dataset) if offer.folder]
    assert folder.probe is not None
    for number in range(3):
        save_picture(tmp_path / f"{number}.png", (30, 20 + number // 2))
    (tmp_path / "broken.JPG").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    report = scan(tmp_path, folder.suffixes, folder.factory("probe"))
    assert report.files == 4
    assert report.properties == {"size": {"30x20": 2, "30x21": 1}, "mode": {"RGB": 3}, "shorter side": {"16 to 31": 3}}
    assert list(report.unreadable) == ["broken.JPG"]
    assert report.skipped == {".txt": 1}


def test_every_factory_does_its_work(tmp_path: Path, catalog: Catalog) -> None:
    """From the descriptors alone: data, game, both players, writers, metrics."""
    resolved = resolve(plugin="image", scenario="digits", environ={})
    run, parts = resolved.run, resolved.parts
    items = {split: parts.dataset.factory("open")(run.dataset, split, DataContext()) for split in ("train", "heldout")}
    game = parts.task.factory("build")(run.task, Formats(items["train"].formats))
    rows = [items["heldout"][index] for index in range(8)]
    stacked = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    batch = game.batch(stacked, torch.Generator(), training=False)
    (preview,) = catalog.offers(Modality)
    assert preview.factory("preview")(batch.real, batch, game.sample, tmp_path, "grid").picture.ndim == 3
    assert len(preview.factory("write")(batch, game.sample, tmp_path, "one")) == 8

    for metric in catalog.offers(Metric):
        if metric.name == "sliced-w1":
            given = MetricContext(
                config=Config(), game=game, items=items.__getitem__, features=lambda name, side: side.real
            )
            found = metric.factory("compute")(Sides(batch, batch, batch), given)
            assert set(found) == set(metric.better) == {"sliced_w1"}
    assert isinstance(batch, Batch)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "celeba", "lsun"])
def test_datasets_that_are_not_there_are_refused_by_name(tmp_path: Path, name: str, catalog: Catalog) -> None:
    from wganx import DataError

    dataset = catalog.dataset(name)
    config = dataset.config.model_validate({"root": tmp_path})
    with pytest.raises(DataError, match=str(tmp_path)):
        dataset.factory("open")(config, "train", DataContext())


def test_networks_built_from_one_seed_are_equal(catalog: Catalog, context: Callable[..., object]) -> None:
    grow = catalog.task("grow", "image")
    fitted = fitted_by(grow, grow.config(), 3, 32)
    own = {"gan-zoo": {"widths": (4, 4, 4, 4)}, "mimicry": {"width": 8}}
    for architecture in catalog.offers(Architecture):
        options = own.get(architecture.name, {"width": 4})
        built: list[nn.Module] = []
        for _ in range(2):
            torch.manual_seed(4)
            given = context(3, 32, noise=6 if architecture.role == "generator" else 0, fitted=fitted)
            if architecture.name == "translator":
                inputs = {"source": given.sample, "style": SampleFormat.label(("summer", "winter"))}
                given = replace(given, noise=(), inputs=inputs if architecture.role == "generator" else {})
            built.append(architecture.factory("build")(architecture.config.model_validate(options), given))
        first, second = (network.state_dict() for network in built)
        assert all(torch.equal(first[name], second[name]) for name in first)

"""Weights in a file, and the network built of them anew."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

import wganx
from wganx.export import export, rebuild
from wganx.storage import remove_folder


def test_a_generator_is_built_without_its_run(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run("said"), folder)  # what was fitted to its data goes with the weights
    export(folder, tmp_path / "out", format="safetensors")
    sampler = wganx.load_generator(folder)
    remove_folder(folder)
    network = rebuild(tmp_path / "out")
    assert not any(part.training for part in network.modules())
    noise, context = torch.randn(3, *sampler.noise), sampler.context_rows(3, given={"text": "ma"})
    with torch.no_grad():
        assert network(noise, **context).equal(sampler.module(noise, **context))
    card = json.loads((tmp_path / "out" / "card.json").read_text(encoding="utf-8"))
    weights = tmp_path / "out" / "weights.safetensors"
    assert card["weights"] == {weights.name: hashlib.sha256(weights.read_bytes()).hexdigest()}
    assert weights.stat().st_mode & 0o444 == (tmp_path / "out" / "card.json").stat().st_mode & 0o444


def test_a_critic_of_computed_weights_has_plain_ones(run, tmp_path):
    export(run("points"), tmp_path / "out", format="safetensors", what="critic")
    assert set(load_file(tmp_path / "out" / "weights.safetensors")) == {
        f"layers.{number}.{name}" for number in (0, 2) for name in ("weight", "bias")
    }
    network = rebuild(tmp_path / "out")
    assert network(torch.zeros(2, 2), label=torch.arange(2)).shape == (2,)


def test_a_damaged_file_is_named(run, tmp_path):
    export(run("moved"), tmp_path / "out", format="safetensors")
    (tmp_path / "out" / "build.json").write_text("{", encoding="utf-8")
    with pytest.raises(wganx.DataError, match="out is no export of weights that can be read"):
        rebuild(tmp_path / "out")

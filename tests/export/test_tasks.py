"""Every task of every plugin, as a file that is called without wganx, on any rows and sizes."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
import torch

import wganx
from wganx.export import export

CASES = {
    # by the run: the format, what comes out of each row, the sizes that are free
    "points": ("onnx", ["rows", 2], []),
    "moved": ("torch-export", ["rows", 2], []),
    "faces": ("onnx", ["rows", 3, 16, 16], []),
    "styles": ("torch-export", ["rows", 3, "height", "width"], ["height", "width"]),
    "said": ("torch-export", ["rows", 1, 32, 32], []),
    "ahead": ("torch-export", ["rows", 3, 1, "height", "width"], ["height", "width"]),
    "between": ("torch-export", ["rows", 1, 1, "height", "width"], ["height", "width"]),
    "larger": ("onnx", ["rows", 3, 1, "2*height", "2*width"], ["height", "width"]),
}
_ROWS, _OTHER = 7, {"height": 21, "width": 30, "time": 6001}


def inputs_of(card):
    """What the card alone says goes in, for rows and sizes that were never tried."""
    rng = np.random.default_rng(5)
    for port in card["inputs"]:
        shape = [_ROWS, *(_OTHER.get(size, size) for size in port["shape"][1:])]
        if port["kind"] == "noise":
            yield port["name"], rng.standard_normal(shape).astype(port["dtype"])
        elif port["dtype"] == "int64":
            yield port["name"], rng.integers(int(port["range"][0]), int(port["range"][1]) + 1, shape)
        else:
            yield port["name"], rng.uniform(*(port["range"] or (-1, 1)), shape).astype(port["dtype"])


@pytest.mark.parametrize("name", CASES)
def test_a_generator(name, run, exported):
    format, shape, free = CASES[name]
    folder, out = run(name), exported(name, format)
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert card["output"]["shape"] == shape
    assert list(card["free_sizes"]) == free
    inputs = dict(inputs_of(card))
    if format == "onnx":
        session = onnxruntime.InferenceSession(out / "generator.onnx")
        assert [list(each.shape) for each in session.get_inputs()] == [port["shape"] for port in card["inputs"]]
        assert session.get_outputs()[0].name == card["output"]["name"]
        found = torch.from_numpy(session.run(None, inputs)[0])
    else:
        program = torch.export.load(out / "generator.pt2").module()
        found = program(*map(torch.from_numpy, inputs.values()))
    tensors = {each: torch.from_numpy(array) for each, array in inputs.items()}
    noise = [tensors.pop("noise")] if "noise" in tensors else []
    with torch.no_grad():
        wanted = wganx.load_generator(folder).module(*noise, **tensors)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert card["difference"]["largest"] < 1e-5 < card["difference"]["of_values_up_to"]


def test_a_critic_of_computed_weights(run, tmp_path):
    folder = run("points")
    export(folder, tmp_path / "out", format="onnx", what="critic")
    session = onnxruntime.InferenceSession(tmp_path / "out" / "critic.onnx")
    trained = wganx.load_run(folder)
    trained.restore()
    critic = trained.assembly.trainer.training.critic.eval()
    assert any("parametrizations" in name for name in critic.state_dict())  # a spectral norm, folded in the file
    x, label = torch.randn(6, 2, generator=torch.Generator().manual_seed(3)), torch.arange(6)
    with torch.no_grad():
        wanted = critic(x, label=label)
    (found,) = session.run(None, {"sample": x.numpy(), "label": label.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), wanted, rtol=1e-4, atol=1e-5)


def test_a_critic_whose_scores_were_changed_says_so(run, tmp_path):
    export(run("moved"), tmp_path / "out", format="safetensors", what="critic")
    card = json.loads((tmp_path / "out" / "card.json").read_text(encoding="utf-8"))
    assert card["raw_scores"] == "gradient-normalization"
    assert "The scores are the network's own." in (tmp_path / "out" / "CARD.md").read_text(encoding="utf-8")


def test_a_critic_of_two_clips_of_two_sizes(run, tmp_path):
    export(run("larger"), tmp_path / "out", format="torch-export", what="critic")
    card = json.loads((tmp_path / "out" / "card.json").read_text(encoding="utf-8"))
    shapes = [port["shape"] for port in card["inputs"]]
    assert shapes == [["rows", 3, 1, "2*height", "2*width"], ["rows", 3, 1, "height", "width"]]
    assert card["free_sizes"] == {axis: {"from": 8, "trained": None} for axis in ("height", "width")}

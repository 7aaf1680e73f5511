"""What only looks on, and what only measures, never ends a training and never changes its course.

The sort of complaint that is public about other frameworks: a logger that raises, a callback that seeds, a metric that
normalises its input in place, a plugin that calls sys.exit, a writer that returns nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

import wganx
from wganx.engine import read_checkpoint

COMPLETE = Path(__file__).with_name("complete_plugin.py").read_text(encoding="utf-8")
PREVIEW = "    return Preview(((samples + 1) * 127.5).byte().reshape(1, -1, 4))\n"
GAP = '    return {"gap": (sides.candidate.real.mean(0) - sides.reference.real.mean(0)).abs().mean().item()}\n'
DULL = "    spread = vitals.fake.float().std().item()\n"
TOLD = '    with (Path(run.folder) / "told.txt")'
NOISE = "    return torch.rand(batch.real.shape, generator=rng) * 2 - 1\n"
HARM = {
    "raises": "    raise ValueError('two\\nlines')\n",
    "exits": "    import sys\n    sys.exit(3)\n",
    "seeds": "    torch.manual_seed(0)\n    import numpy as np\n    np.random.seed(0)\n",
    "draws": "    torch.rand(1000)\n",
    "recurses": "    (lambda again: again(again))(lambda again: again(again))\n",
    "turns-gradients-off": "    torch.set_grad_enabled(False)\n",
    "changes-the-default-type": "    torch.set_default_dtype(torch.float64)\n",
}
PLACES = {"metric": GAP, "preview": PREVIEW, "health check": DULL, "observer": TOLD, "baseline": NOISE}
CASES = {f"{place} {harm}": (code, does + code) for place, code in PLACES.items() for harm, does in HARM.items()}
CASES |= {
    "metric writes": (GAP, "    sides.candidate.real.zero_()\n    sides.reference.real.zero_()\n" + GAP),
    "metric returns None": (GAP, "    return None\n"),
    "metric returns text": (GAP, "    return {'gap': 'small'}\n"),
    "metric returns a list": (GAP, "    return [0.5]\n"),
    "metric returns a vector": (GAP, "    return {'gap': sides.candidate.real}\n"),
    "preview writes": (PREVIEW, "    samples.zero_()\n    reference.real.zero_()\n" + PREVIEW),
    "preview returns None": (PREVIEW, "    return None\n"),
    "preview returns floats": (PREVIEW, "    return Preview(samples)\n"),
    "preview names files that are not there": (PREVIEW, PREVIEW.replace("4))\n", "4), (folder / 'no.wav',))\n")),
    "preview names files that are text": (PREVIEW, PREVIEW.replace("4))\n", "4), ('no.wav',))\n")),
    "baseline writes": (NOISE, "    batch.real.zero_()\n" + NOISE),
    "baseline returns None": (NOISE, "    return None\n"),
    "baseline returns another shape": (NOISE, "    return batch.real[:1]\n"),
    "health check writes": (DULL, "    vitals.fake.zero_()\n    vitals.real.zero_()\n" + DULL),
    "health check writes scalars": (DULL, "    vitals.scalars.clear()\n" + DULL),
    "health check returns True": (DULL, "    return True\n"),
    "health check remembers text": (DULL, "    vitals.memory['x'] = 'text'\n" + DULL),
    "observer writes": (TOLD, "    scalars.clear()\n" + TOLD),
    "observer deletes its event": (TOLD, "    del run\n" + TOLD),
}


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """The weights at the end of a short training of a plugin, and the notes of its run."""
    folder = tmp_path_factory.mktemp("onlookers")

    def run(name, source):
        path = folder / f"kit_looks_{name}.py"
        path.write_text(source.replace('"kit-', f'"{path.stem.replace("_", "-")}-'), encoding="utf-8")
        small = {"train.steps": 4, "log.every": 1, "preview.every": 2, "evaluate.every": 2, "preview.count": 4}
        out = folder / path.stem
        made = wganx.train(plugin=str(path), overrides={**small, "evaluate.n": 8}, out=out, device="cpu")
        weights = read_checkpoint(out / "checkpoints" / "step-000004").weights
        return weights, made.folder.facts()

    yield run
    for module in [module for module in sys.modules if module.startswith("kit_looks_")]:
        del sys.modules[module]
    # A process that takes tests of this file twice, others between, makes the folder anew.
    sys.path[:] = [entry for entry in sys.path if entry != str(folder)]


@pytest.fixture(scope="module")
def undisturbed(train):
    return train("plain", COMPLETE)[0]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_training_goes_on_as_if_nobody_looked(train, undisturbed, case):
    old, new = CASES[case]
    assert old in COMPLETE
    try:
        weights, facts = train(case.lower().replace(" ", "_").replace("-", "_"), COMPLETE.replace(old, new))
    finally:
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
    assert facts["status"] == "finished"
    assert all(torch.equal(tensor, weights[name]) for name, tensor in undisturbed.items())

"""What a run leaves for other programs: an ordinary module, saved whole, exported, as ONNX."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

import wganx

SMALL = {"train.steps": 4, "train.batch_size": 16, "train.critic_steps": 1, "checkpoint.every": 2, "preview.count": 4}
RUNS = {
    "points": ("points", "ring", {"generator.width": 8, "critic.width": 8, "dataset.count": 64}),
    "image": ("image", "digits", {}),
    "tones": ("tones", "tiny", {}),
}


@pytest.fixture(params=RUNS)
def run(request, tones):
    plugin, scenario, settings = RUNS[request.param]
    return wganx.train(plugin, scenario, overrides={**SMALL, **settings}, out="run", device="cpu")


def arguments(sampler: wganx.Sampler, rows: int = 3) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    noise = torch.randn(rows, *sampler.noise, generator=torch.Generator().manual_seed(0))
    return noise, sampler.context_rows(rows)


def test_two_lines_of_python_give_last_and_any_kept_step(run):
    last = wganx.load_generator("run").draw(3, seed=1)
    assert torch.equal(last, wganx.load_generator("run", checkpoint=4).draw(3, seed=1))
    assert not torch.equal(last, wganx.load_generator("run", checkpoint=2).draw(3, seed=1))
    with pytest.raises(wganx.CheckpointError, match=r"no best checkpoint; set checkpoint\.best to a metric value"):
        wganx.load_generator("run", checkpoint="best")
    with pytest.raises(wganx.CheckpointError, match="no checkpoint '3'; there are last, best and the steps 0, 2, 4"):
        wganx.load_generator("run", checkpoint=3)


def test_the_best_checkpoint(tones):
    settings = SMALL | {"evaluate.every": 2, "evaluate.n": 16, "checkpoint.best": "band_distance"}
    run = wganx.train("tones", overrides=settings, out="run", device="cpu")
    best = run.store.best()
    sampler = wganx.load_generator("run", checkpoint="best")
    assert torch.equal(sampler.draw(2), wganx.load_generator("run", checkpoint=best["step"]).draw(2))


def test_the_module_has_the_averaged_weights_and_is_in_evaluation_mode(run):
    module = wganx.load_generator("run").module
    assert not any(part.training for part in module.modules())
    average = run.assembly.trainer.training.average.module.state_dict()
    assert all(torch.equal(tensor, average[name]) for name, tensor in module.state_dict().items())
    assert type(module) is type(run.assembly.trainer.training.generator)


def test_it_is_saved_whole_and_loaded(run, tmp_path):
    sampler = wganx.load_generator("run")
    noise, context = arguments(sampler)
    torch.save(sampler.module, tmp_path / "generator.pt")
    again = torch.load(tmp_path / "generator.pt", weights_only=False)
    assert torch.equal(again(noise, **context), sampler.module(noise, **context))


def test_it_is_exported_for_any_number_of_rows(run):
    sampler = wganx.load_generator("run")
    noise, context = arguments(sampler)
    rows = torch.export.Dim("rows", min=2, max=1024)
    plain = Plain(sampler.module, list(context))
    shapes = ({0: rows}, [{0: rows} for _ in context])
    exported = torch.export.export(plain, (noise, list(context.values())), dynamic_shapes=shapes)
    noise, context = arguments(sampler, 7)
    made = exported.module()(noise, list(context.values()))
    torch.testing.assert_close(made, sampler.module(noise, **context))


class Plain(torch.nn.Module):
    """torch 2.11 exports no ``**labels`` for a free number of rows; a list of them it does."""

    def __init__(self, module, names):
        super().__init__()
        self.module, self.names = module, names

    def forward(self, noise, labels):
        return self.module(noise, **dict(zip(self.names, labels)))


def test_it_becomes_onnx(run, tmp_path: Path):
    pytest.importorskip("onnx", reason="writes the format")
    pytest.importorskip("onnxscript", reason="torch translates with it")
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    sampler = wganx.load_generator("run")
    noise, context = arguments(sampler)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter itself
        program = torch.onnx.export(sampler.module, (noise,), kwargs=context, dynamo=True, verbose=False)
    program.save(tmp_path / "generator.onnx")
    import onnx

    model = onnx.load(tmp_path / "generator.onnx")
    onnx.checker.check_model(model)
    names = [given.name for given in model.graph.input]
    tensors = [noise, *context.values()]
    made = evaluator(model).run(None, {name: tensor.numpy() for name, tensor in zip(names, tensors)})[0]
    torch.testing.assert_close(torch.from_numpy(made), sampler.module(noise, **context), rtol=1e-4, atol=1e-5)

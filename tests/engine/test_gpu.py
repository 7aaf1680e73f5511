"""What only a CUDA device can show."""

import pytest
import torch
from torch import nn

import wganx
from wganx.engine.carrying.recorded import Recorded
from wganx.engine.carrying.stream import Stream
from wganx.wasserstein import CONSTRAINTS

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


def convolutions():
    torch.manual_seed(0)
    generator = nn.Sequential(
        nn.Linear(4, 64), nn.Unflatten(1, (16, 2, 2)), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 3, 4, 4),
        nn.Tanh(),
    )  # fmt: skip
    critic = nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Flatten(), nn.Linear(128, 1), nn.Flatten(0)
    )
    return {"generator": generator, "critic": critic}


@pytest.fixture
def pictures():
    rng = torch.Generator().manual_seed(3)
    return [torch.rand(16, 3, 8, 8, generator=rng) * 2 - 1 for _ in range(5)]


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_trains_in_every_precision_and_puts_the_switches_back(make_trainer, data, precision):
    before = (torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision)
    trainer = make_trainer(device="cuda", precision=precision)
    trainer.fit(data, steps=5)
    assert torch.isfinite(trainer.sample(8)).all()
    assert (torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision) == before


@pytest.mark.parametrize("capture", ["off", "graph"])
def test_nothing_waits_for_the_device_between_logging_points(make_trainer, pictures, capture):
    trainer = make_trainer(device="cuda", capture=capture, **convolutions())
    stream = Stream([batch.cuda() for batch in pictures], trainer.device)
    with trainer.training.running(stream):
        for _ in range(12):  # past warm-up, recording and the measured cycle
            trainer.training.advance()
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(4):
                trainer.training.advance()
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", sorted(set(CONSTRAINTS) - {"by-construction"}))
def test_graphs_train_as_single_operations_do(make_trainer, pictures, name):
    trained = []
    for capture in ("off", "graph"):
        trainer = make_trainer(
            device="cuda", precision="fp32", capture=capture, constraint=CONSTRAINTS[name](), critic_steps=2,
            optimizer=wganx.Optimizer(lr=1e-4, schedule="linear"), **convolutions(),
        )  # fmt: skip
        trainer.fit(pictures, steps=20, log_every=5)
        trained.append(trainer)
    eager, graphed = trained
    assert isinstance(graphed.training._execution, Recorded)
    assert graphed.training._execution.failures == {}
    for ours, theirs in zip(graphed.generator.parameters(), eager.generator.parameters()):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    assert torch.equal(eager.random.draws.get_state(), graphed.random.draws.get_state())


def test_what_cannot_be_recorded_trains_all_the_same(make_trainer, pictures, caplog):
    class Asking(nn.Sequential):
        def forward(self, x):
            return super().forward(x) * (1.0 if x.sum().item() > -1e9 else 0.5)

    networks = convolutions()
    networks["critic"] = Asking(*networks["critic"])
    trainer = make_trainer(device="cuda", **networks)
    trainer.fit(pictures, steps=12)
    assert caplog.text.count("the critic's updates run one operation after another") == 1
    assert torch.isfinite(trainer.sample(8)).all()


@pytest.mark.parametrize("capture", ["off", "graph"])
def test_saves_and_continues(make_trainer, networks, data, tmp_path, capture):
    trainer = make_trainer(device="cuda", precision="fp32", capture=capture)
    trainer.fit(data, steps=9)
    trainer.save(tmp_path / "x")
    loaded = wganx.Trainer.load(tmp_path / "x", *networks(seed=5), device="cuda")
    for each in (trainer, loaded):
        each.fit(data, steps=9)
    assert torch.allclose(trainer.sample(5), loaded.sample(5), atol=1e-4)

"""What only a CUDA device can show."""

import pytest
import torch

import wganx

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_trains_in_every_precision_and_puts_the_switches_back(make_trainer, data, precision):
    before = (torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision)
    trainer = make_trainer(device="cuda", precision=precision)
    trainer.fit(data, steps=5)
    assert torch.isfinite(trainer.sample(8)).all()
    assert (torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision) == before


def test_nothing_waits_for_the_device_between_logging_points(make_trainer, data):
    trainer = make_trainer(device="cuda")
    trainer.fit(data, steps=2)
    batches = [wganx.Batch(x.cuda()) for x in data]
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(3):
            trainer.steps.update_critic(batches[:1])
            trainer.steps.update_generator(batches[:1], step)
            trainer.average.update(step)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_saves_and_continues(make_trainer, networks, data, tmp_path):
    trainer = make_trainer(device="cuda", precision="fp32")
    trainer.fit(data, steps=3)
    trainer.save(tmp_path / "x")
    loaded = wganx.Trainer.load(tmp_path / "x", *networks(seed=5), device="cuda")
    for each in (trainer, loaded):
        each.fit(data, steps=2)
    assert torch.allclose(trainer.sample(5), loaded.sample(5), atol=1e-5)

"""Several processes train as one: the same batches, the same draws, the same weights."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from wganx.engine.ranks import Ranks, join
from wganx.errors import UsageError
from wganx.wasserstein import CONSTRAINTS

WORKER = Path(__file__).with_name("rank.py")
TRAINABLE = sorted(set(CONSTRAINTS) - {"by-construction"})
GAMES = [
    "helpers", "relativistic", "adaptive augmentation", "packs", "batch norm in the critic", "batches of samples",
    "batches of features",
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What one process and each of two end with, by constraint, number and count."""
    out = tmp_path_factory.mktemp("ranks")
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(number), str(count), str(out / "meeting"), str(out)],
            env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for number, count in ((0, 2), (1, 2), (0, 1))
    ]  # fmt: skip
    try:
        for process in processes:
            said, _ = process.communicate(timeout=500)
            assert process.returncode == 0, said
    finally:
        for process in processes:  # those that wait for one that failed
            process.kill()
            process.communicate()
    return lambda name, number, count: load_file(out / f"{name}-{number}-of-{count}.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TRAINABLE, *GAMES])
def test_two_processes_train_as_one(trained, name):
    """Twenty steps in float64 on 9 samples, so 4 and 5; critic with dropout, generator with batch norm and noise."""
    alone, first, second = trained(name, 0, 1), trained(name, 0, 2), trained(name, 1, 2)
    assert alone.keys() == first.keys()
    assert any("running_mean" in key for key in alone)
    for key, expected in alone.items():
        # What Adam remembers of the raw gradients of orthogonal layers is less exact than the steps it takes.
        bound = 1e-12 if not key.startswith("training") else 1e-11
        scale = 1 + expected.double().abs().max()
        assert (first[key].double() - expected.double()).abs().max() <= bound * scale, key
    for key, value in second.items():
        if not key.startswith("training/readings"):
            assert torch.equal(value, first[key]), f"the processes hold different {key}"


@pytest.mark.parametrize("made_by", ["wganx", "the caller"])
def test_nothing_holds_the_group_beyond_its_end(tmp_path, made_by):
    """Else gloo's threads meet an interpreter that is gone, and a rank may abort on its way out."""
    code = """
import gc, sys, types
import torch
import torch.distributed as dist
import wganx

if sys.argv[2] == "wganx":
    import wganx.engine.ranks
dist.init_process_group("gloo", init_method=f"file://{sys.argv[1]}", rank=0, world_size=1)
critic = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Flatten(0))
trainer = wganx.Trainer(torch.nn.Linear(2, 2), critic, noise=(2,), device="cpu")
trainer.fit([torch.ones(4, 2)], steps=1)
dist.destroy_process_group()
gc.collect()
assert "torch.distributed.nn.functional" in sys.modules
for each in gc.get_objects():
    if isinstance(each, types.FunctionType):
        defaults = [*(each.__defaults__ or ()), *(each.__kwdefaults__ or {}).values()]
        if any(isinstance(value, dist.ProcessGroup) for value in defaults):
            print(f"{each.__module__}.{each.__qualname__}")
"""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "meeting"), made_by],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr


def test_rows_are_shared_out_evenly():
    for total in (4, 5, 9, 64):
        for count in (1, 2, 3, 4):
            ranks = [Ranks(number, count).rows(total) for number in range(count)]
            assert [row for rows in ranks for row in range(total)[rows]] == list(range(total))
            assert max(r.stop - r.start for r in ranks) - min(r.stop - r.start for r in ranks) <= 1


def test_a_batch_too_small_to_share_is_refused():
    with pytest.raises(UsageError, match="a batch of 3 cannot be shared by 4 processes; raise the batch size"):
        Ranks(0, 4).rows(3)


def test_without_a_launcher_one_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    ranks = join()
    assert (ranks.number, ranks.count, ranks.first) == (0, 1, True)
    tensor = torch.ones(3)
    assert ranks.sum_(tensor) is tensor
    assert ranks.from_first(lambda: "done") == "done"
    assert ranks.any_soon(True) is True


def test_an_incomplete_launch_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match=r"WORLD_SIZE is 2, but .* start them with torchrun, or unset WORLD_SIZE"):
        join()

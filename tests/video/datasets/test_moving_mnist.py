"""Clips made of MNIST, in each form in which people have it."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch
from wganx_video.configs.datasets import MovingMnistConfig
from wganx_video.datasets.moving_mnist import open_moving_mnist, read_idx

from wganx import DataContext, DataError

CONTEXT = DataContext(seed=0)


def idx(pictures: np.ndarray) -> bytes:
    return b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in pictures.shape) + pictures.tobytes()


@pytest.fixture
def pictures():
    return {
        "train-images": np.random.default_rng(0).integers(1, 100, (9, 28, 28), np.uint8),
        "t10k-images": np.random.default_rng(1).integers(100, 255, (5, 28, 28), np.uint8),
    }


@pytest.fixture(params=["", "raw", "MNIST/raw"])
def root(request, tmp_path, pictures):
    folder = tmp_path / request.param
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(pictures["train-images"]))
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures["t10k-images"])))
    return tmp_path


def test_digits_of_the_training_file_are_learnt_from_and_those_of_the_test_file_held_out(root) -> None:
    config = MovingMnistConfig(root=root, count=8)
    train, heldout = (open_moving_mnist(config, split, CONTEXT) for split in ("train", "heldout"))
    assert (len(train), len(heldout)) == (8, 2)
    assert train.formats["sample"].shape == train[0]["sample"].shape == (20, 1, 64, 64)
    assert train[0]["sample"].max() < 100 <= heldout[0]["sample"].max()


def test_the_published_clips_are_held_out_where_they_are(root) -> None:
    published = np.random.default_rng(2).integers(0, 255, (20, 3, 64, 64), np.uint8)
    np.save(root / "mnist_test_seq.npy", published)
    items = open_moving_mnist(MovingMnistConfig(root=root), "heldout", CONTEXT)
    assert len(items) == 3
    assert torch.equal(items[1]["sample"][:, 0], torch.from_numpy(published[:, 1]))
    shorter = open_moving_mnist(MovingMnistConfig(root=root, frames=12), "heldout", CONTEXT)
    assert shorter[2]["sample"].shape == (12, 1, 64, 64)
    with pytest.raises(DataError, match=r"clips of 20 frames of 64 x 64 px, and 24 of 64 px were asked for"):
        open_moving_mnist(MovingMnistConfig(root=root, frames=24), "heldout", CONTEXT)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(np.zeros((3, 20, 64, 64), np.float32), r"holds float32 values of shape"), (None, "is no readable array")],
)
def test_published_clips_that_are_none(tmp_path, wrong, said) -> None:
    path = tmp_path / "mnist_test_seq.npy"
    path.write_bytes(b"no array") if wrong is None else np.save(path, wrong)
    with pytest.raises(DataError, match=said):
        open_moving_mnist(MovingMnistConfig(root=tmp_path), "heldout", CONTEXT)


def test_what_is_missing_and_where_it_belongs(tmp_path) -> None:
    with pytest.raises(DataError, match=r"no train-images-idx3-ubyte \(or \.gz\) in .*put MNIST's files there"):
        open_moving_mnist(MovingMnistConfig(root=tmp_path), "train", CONTEXT)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\0\0\x08\x01" + bytes(20), "is no IDX file of pictures"), (b"", "is no IDX file of pictures"),
     (idx(np.zeros((2, 3, 3), np.uint8))[:-1], "is to hold 2 pictures of 3 x 3 px, and is 33 bytes long")],
)  # fmt: skip
def test_files_that_are_no_pictures_or_cut_short(tmp_path, content, said) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_idx(path)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content)[:-9])
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_idx(path)

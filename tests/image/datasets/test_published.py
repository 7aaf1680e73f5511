"""Every dataset in the form it has on disk, as fixtures of a few items."""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from wganx_image.configs.datasets import DigitsConfig, DownloadableConfig, FolderConfig, LsunConfig
from wganx_image.datasets.arrays import open_cifar10, open_digits, open_fashion_mnist, open_mnist
from wganx_image.datasets.folder import fit_folder, open_folder
from wganx_image.datasets.lsun import open_lsun

from wganx import DataContext, DataError, MissingExtra
from wganx.data import PackedItems, fingerprint, packed
from wganx.data.telling import found_in, remarks_on

Save = Callable[..., Path]
SPLITS: tuple[Literal["train", "heldout"], ...] = ("train", "heldout")


class TestDigits:
    def test_all_digits_are_in_one_of_the_splits_and_each_class_is_shared_alike(self) -> None:
        train, heldout = (open_digits(DigitsConfig(), split, DataContext()) for split in SPLITS)
        assert (len(train), len(heldout)) == (1437, 360)
        assert train.formats["sample"].shape == (1, 16, 16)
        assert train.formats["sample"].value_range == (0.0, 255.0)
        assert train.formats["label"].classes == heldout.formats["label"].classes == tuple("0123456789")
        counts = [
            torch.stack([items[i]["label"] for i in range(len(items))]).bincount(minlength=10)
            for items in (train, heldout)
        ]
        assert ((counts[1] / (counts[0] + counts[1]) - 0.2).abs() < 0.01).all()

    def test_at_their_own_size_they_are_those_of_scikit_learn(self) -> None:
        from sklearn.datasets import load_digits

        opened = [open_digits(DigitsConfig(size=8), split, DataContext()) for split in SPLITS]
        ours = {
            (item["sample"].numpy().tobytes(), int(item["label"]))
            for items in opened
            for item in map(items.__getitem__, range(len(items)))
        }
        source = load_digits()
        theirs = {
            (np.round(image / 16 * 255).astype(np.uint8).tobytes(), int(label))
            for image, label in zip(source.images, source.target)
        }
        assert ours == theirs

    def test_the_splits_share_nothing_and_never_change(self) -> None:
        train, heldout = (open_digits(DigitsConfig(size=8), split, DataContext()) for split in SPLITS)
        bytes_of = [{items[i]["sample"].numpy().tobytes() for i in range(len(items))} for items in (train, heldout)]
        assert len(bytes_of[0] & bytes_of[1]) <= 1  # scikit-learn's set itself may hold a pair of equal pictures
        assert torch.equal(open_digits(DigitsConfig(size=8), "train", DataContext())[7]["sample"], train[7]["sample"])

    def test_enlarging_keeps_mean_and_type(self) -> None:
        small, large = (open_digits(DigitsConfig(size=size), "train", DataContext())[0]["sample"] for size in (8, 32))
        assert large.dtype == torch.uint8
        assert large.shape == (1, 32, 32)
        assert large.float().mean().item() == pytest.approx(small.float().mean().item(), abs=4)


def write_idx(path: Path, values: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes())


def write_mnist(raw: Path) -> np.ndarray[Any, Any]:
    pictures = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    for part, count in (("train", 6), ("t10k", 4)):
        write_idx(raw / f"{part}-images-idx3-ubyte", pictures[:count])
        write_idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count))
    return pictures


class TestMnist:
    @pytest.mark.parametrize(
        ("name", "open_dataset", "first"), [("MNIST", open_mnist, "0"), ("FashionMNIST", open_fashion_mnist, "T-shirt")]
    )
    def test_the_original_files_framed_in_black(
        self, tmp_path: Path, name: str, open_dataset: Callable[..., Any], first: str
    ) -> None:
        pictures = write_mnist(tmp_path / name / "raw")
        train, heldout = (open_dataset(DownloadableConfig(root=tmp_path), split, DataContext()) for split in SPLITS)
        assert (len(train), len(heldout)) == (6, 4)
        assert train.formats["sample"].shape == (1, 32, 32)
        assert train.formats["label"].classes[0].startswith(first)
        assert len(train.formats["label"].classes) == 10
        item = train[5]
        assert item["label"].item() == 5
        assert item["label"].dtype == torch.int64
        assert torch.equal(item["sample"][0, 2:-2, 2:-2], torch.from_numpy(pictures[5]))
        frame = item["sample"][0].clone()
        frame[2:-2, 2:-2] = 0
        assert not frame.any()

    @pytest.mark.parametrize("pointed_at", ["", "MNIST", "MNIST/raw"])
    def test_the_root_may_be_the_files_own_folder(self, tmp_path: Path, pointed_at: str) -> None:
        write_mnist(tmp_path / "MNIST" / "raw")
        assert len(open_mnist(DownloadableConfig(root=tmp_path / pointed_at), "train", DataContext())) == 6

    @pytest.mark.parametrize(("name", "dataset"), [("MNIST", "mnist"), ("FashionMNIST", "fashion-mnist")])
    def test_as_a_folder_of_pictures_they_are_refused_by_name(self, tmp_path: Path, name: str, dataset: str) -> None:
        raw = tmp_path / name / "raw"
        write_mnist(raw)
        message = f"{raw} holds no pictures but the files of {dataset}; add --set dataset.name={dataset}"
        for look in (lambda: fit_folder(FolderConfig(root=raw), DataContext()),
                     lambda: open_folder(FolderConfig(root=raw, size=32), "train", DataContext())):  # fmt: skip
            with pytest.raises(DataError) as refusal:
                look()
            assert str(refusal.value) == message

    def test_other_sizes(self, tmp_path: Path) -> None:
        write_mnist(tmp_path / "MNIST" / "raw")
        assert open_mnist(DownloadableConfig(root=tmp_path, size=16), "train", DataContext())[0]["sample"].shape == (
            1,
            16,
            16,
        )

    def test_missing_files_say_where_they_were_looked_for_and_what_helps(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as refusal:
            open_mnist(DownloadableConfig(root=tmp_path), "train", DataContext())
        message = str(refusal.value)
        assert message.startswith(f"no complete MNIST in {tmp_path / 'MNIST' / 'raw'} (")
        assert message.endswith(
            "; set dataset.root to the folder above, put the unpacked files there, or set dataset.download=true"
        )

    def test_a_failed_download_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def offline(dataset: object) -> None:
            raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

        monkeypatch.setattr(torchvision.datasets.MNIST, "download", offline)
        with pytest.raises(DataError, match=r"Error downloading .*; the download failed, so look at the network"):
            open_mnist(DownloadableConfig(root=tmp_path, download=True), "train", DataContext())


class TestCifar10:
    @pytest.fixture
    def root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Batches of three pictures in the published form, under their own checksums."""
        folder = tmp_path / "cifar-10-batches-py"
        folder.mkdir()

        def write(name: str, content: dict[str, Any]) -> list[str]:
            (folder / name).write_bytes(pickle.dumps(content))
            return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

        def batch(value: int) -> dict[str, Any]:
            planes = np.repeat(np.array([value, value + 1, value + 2], np.uint8), 1024)
            return {"data": np.stack([planes] * 3), "labels": [0, 9, value % 10]}

        names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
        meta = write("batches.meta", {"label_names": names})
        published = torchvision.datasets.CIFAR10
        monkeypatch.setattr(
            published, "train_list", [write("data_batch_1", batch(100)), write("data_batch_2", batch(7))]
        )
        monkeypatch.setattr(published, "test_list", [write("test_batch", batch(40))])
        monkeypatch.setattr(published, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
        return tmp_path

    def test_the_published_batches(self, root: Path) -> None:
        train, heldout = (open_cifar10(DownloadableConfig(root=root), split, DataContext()) for split in SPLITS)
        assert (len(train), len(heldout)) == (6, 3)
        assert train.formats["sample"].shape == (3, 32, 32)
        assert train.formats["label"].classes[9] == "truck"
        item = train[5]
        assert item["label"].item() == 7
        assert item["sample"].float().mean(dim=(1, 2)).tolist() == [7, 8, 9]
        assert heldout[0]["sample"].float().mean(dim=(1, 2)).tolist() == [40, 41, 42]

    def test_changed_files_are_refused(self, root: Path) -> None:
        (root / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"other")
        with pytest.raises(DataError, match=r"no complete CIFAR10 in .*cifar-10-batches-py .*dataset.download=true"):
            open_cifar10(DownloadableConfig(root=root), "train", DataContext())


class TestLsun:
    @pytest.fixture
    def root(self, tmp_path: Path, encoded: Callable[..., bytes]) -> Path:
        lmdb = pytest.importorskip("lmdb")
        for split, count in (("train", 3), ("val", 2)):
            folder = str(tmp_path / f"bedroom_{split}_lmdb")
            with lmdb.open(folder, map_size=2**20) as database, database.begin(write=True) as transaction:
                for number in range(count):
                    picture = Image.new("RGB", (80, 70), (number * 50, 10, 200 if split == "val" else 0))
                    transaction.put(f"{number:040x}".encode(), encoded(picture, "WEBP", lossless=True))
        return tmp_path

    def test_both_databases_of_a_category(self, root: Path) -> None:
        train, heldout = (open_lsun(LsunConfig(root=root, size=32), split, DataContext()) for split in SPLITS)
        assert (len(train), len(heldout)) == (3, 2)
        assert found_in(train, heldout)[0].endswith("3 files to learn from, 2 held out as published")
        assert remarks_on(train) == []
        assert train.formats["sample"].shape == (3, 32, 32)
        assert train[2]["sample"].float().mean(dim=(1, 2)).tolist() == [100, 10, 0]
        assert heldout[1]["sample"].float().mean(dim=(1, 2)).tolist() == [50, 10, 200]

    def test_it_has_a_fingerprint_and_can_be_packed(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
        train, heldout = (open_lsun(LsunConfig(root=root, size=16), split, DataContext()) for split in SPLITS)
        assert fingerprint(train) != fingerprint(heldout)
        made, said = packed(train, "always")
        assert isinstance(made, PackedItems), said
        assert all(torch.equal(made[index]["sample"], train[index]["sample"]) for index in range(3))

    def test_one_database_serves_many_readers_of_a_process(self, root: Path) -> None:
        items = open_lsun(LsunConfig(root=root, size=16), "train", DataContext())
        again = pickle.loads(pickle.dumps(items))
        other = open_lsun(LsunConfig(root=root, size=16), "train", DataContext())
        assert torch.equal(items[2]["sample"], again[2]["sample"])
        assert torch.equal(items[2]["sample"], other[2]["sample"])

    def test_a_broken_record_is_skipped_and_named(self, root: Path) -> None:
        import lmdb

        with lmdb.open(str(root / "bedroom_train_lmdb"), map_size=2**20) as database, database.begin(write=True) as t:
            for number in range(3, 40):
                t.put(f"{number:040x}".encode(), t.get(b"0" * 40))
            t.put(b"0" * 40, b"broken")
        items = open_lsun(LsunConfig(root=root, size=16), "train", DataContext())
        assert torch.equal(items[0]["sample"], items[1]["sample"])
        assert list(items.unreadable) == ["0" * 40]  # type: ignore[attr-defined]

    def test_refusals(self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(
            DataError, match=r"no LSUN database at .*tower_train_lmdb .*dataset.root and dataset.category"
        ):
            open_lsun(LsunConfig(root=root, category="tower"), "train", DataContext())
        damaged = tmp_path / "kitchen_train_lmdb"
        damaged.mkdir()
        (damaged / "data.mdb").write_bytes(b"nothing of the kind" * 500)
        with pytest.raises(DataError, match=r"kitchen_train_lmdb is no readable LMDB database \(.*\); unpack it again"):
            open_lsun(LsunConfig(root=root, category="kitchen"), "train", DataContext())

    def test_an_empty_database_is_refused(self, tmp_path: Path) -> None:
        lmdb = pytest.importorskip("lmdb")
        lmdb.open(str(tmp_path / "bedroom_train_lmdb")).close()
        with pytest.raises(DataError, match="bedroom_train_lmdb is empty"):
            open_lsun(LsunConfig(root=tmp_path), "train", DataContext())

    def test_without_lmdb_the_extra_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "lmdb", None)
        with pytest.raises(MissingExtra, match=r'pip install "wganx\[lsun\]"'):
            open_lsun(LsunConfig(root=tmp_path), "train", DataContext())


class TestFolder:
    def test_class_folders_become_labels(self, tmp_path: Path, save_picture: Save) -> None:
        for split, count in (("train", 4), ("test", 2)):
            for name, colour in (("cat", (255, 0, 0)), ("dog", (0, 0, 255))):
                for number in range(count):
                    save_picture(tmp_path / split / name / f"{number}.jpg", (30, 20), colour)
        train, heldout = (open_folder(FolderConfig(root=tmp_path), split, DataContext()) for split in SPLITS)
        assert (len(train), len(heldout)) == (8, 4)
        assert train.formats["label"].classes == ("cat", "dog")
        assert train.formats["sample"].shape == (3, 16, 16)
        for items in (train, heldout):
            for item in map(items.__getitem__, range(len(items))):
                red = item["sample"][0].float().mean() > 128
                assert item["label"].item() == (0 if red else 1)

    def test_a_plain_folder_and_a_zip_of_it_are_the_same(self, tmp_path: Path, save_picture: Save) -> None:
        import shutil

        for number in range(30):
            save_picture(tmp_path / "photos" / f"{number}.png", (20 + number, 24), (number * 8, 50, 50))
        shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "photos")
        for split in SPLITS:
            folder, archive = (
                open_folder(FolderConfig(root=tmp_path / name, size=16, channels=1), split, DataContext())
                for name in ("photos", "photos.zip")
            )
            assert len(folder) == len(archive) > 0
            assert set(folder[0]) == {"sample"}
            assert folder.formats["sample"].shape == (1, 16, 16)
            assert all(torch.equal(folder[i]["sample"], archive[i]["sample"]) for i in range(len(folder)))

    def test_one_broken_picture_is_skipped_and_named(self, tmp_path: Path, save_picture: Save) -> None:
        for number in range(40):
            save_picture(tmp_path / f"{number:02d}.png")
        (tmp_path / "20.png").write_bytes(b"no picture")
        items = [open_folder(FolderConfig(root=tmp_path), split, DataContext()) for split in SPLITS]
        for opened in items:
            for index in range(len(opened)):
                assert opened[index]["sample"].shape == (3, 16, 16)
        reasons = {path: reason for opened in items for path, reason in opened.unreadable.items()}  # type: ignore[attr-defined]
        assert list(reasons) == ["20.png"]
        assert reasons["20.png"].startswith("no readable picture")

    def test_a_missing_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"there is no folder or \.zip archive at .*nowhere"):
            open_folder(FolderConfig(root=tmp_path / "nowhere"), "train", DataContext())

"""The code of the guides that needs data of its readers: run on a handful of made-up digits."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision.datasets
from wganx_image.configs.datasets import WebDatasetConfig
from wganx_image.datasets.webdataset import open_webdataset

from wganx import DataContext
from wganx.data import FileItems

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "style-transfer.md"


def test_two_domains_made_of_one_dataset(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    digits = torch.zeros(40, 28, 28, dtype=torch.uint8)
    digits[:, 8:20, 12:16] = 255
    made_up = SimpleNamespace(data=digits, targets=torch.arange(40) // 2 % 10)
    monkeypatch.setattr(torchvision.datasets, "MNIST", lambda root, train, download: made_up)
    monkeypatch.chdir(tmp_path)
    exec(code.replace("8000", "40").replace("4000", "20"), {})
    config = WebDatasetConfig(root=tmp_path / "mnist-domains", size=28, labels=("domain", "digit"))
    train, heldout = (open_webdataset(config, split, DataContext()) for split in ("train", "heldout"))
    assert isinstance(train, FileItems)
    assert (len(train), len(heldout)) == (40, 20)
    assert train.formats["domain"].classes == ("coloured", "plain")
    assert len(train.formats["digit"].classes) == 10
    coloured, plain = train[0]["sample"], train[1]["sample"]
    assert train[0]["domain"] == 0
    assert [picture[:, 0, 0].tolist() for picture in (coloured, plain)] == [[255, 176, 64], [0, 0, 0]]
    assert [picture[:, 14, 14].tolist() for picture in (coloured, plain)] == [[40, 20, 60], [255, 255, 255]]

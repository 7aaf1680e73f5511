import pytest
import torch

from wganx import SampleFormat
from wganx.data import ArrayItems, FileItems, FileTree, fingerprint

FORMATS = {"sample": SampleFormat(axes=("value",), shape=(None,))}
FILES = {"train/1.bin": b"one", "train/2.bin": b"two", "test/3.bin": b"three"}


def of_files(root, decoders):
    return fingerprint(FileItems(FileTree(root, (".bin",)), "train", decoders.decode, FORMATS))


def of_array(tensor):
    format = SampleFormat(axes=("value",) * (tensor.dim() - 1), shape=(None,) * (tensor.dim() - 1))
    return fingerprint(ArrayItems({"sample": tensor}, {"sample": format}))


def test_files_wherever_they_lie_have_the_same_fingerprint(write, pack, decoders):
    here = of_files(write(FILES, "here"), decoders)
    assert here == of_files(write(FILES, "there"), decoders) == of_files(pack(FILES), decoders)
    assert len(here) == 16
    int(here, 16)


@pytest.mark.parametrize(
    "change", [{"train/2.bin": b"longer"}, {"train/4.bin": b"new"}, {"train/2.bin": b"", "train/1.bin": b"one two"}]
)
def test_files_that_change_change_it(write, decoders, change):
    before = of_files(write(FILES, "before"), decoders)
    assert before != of_files(write(FILES | change, "after"), decoders)


def test_arrays_by_every_value_type_and_shape():
    base = torch.arange(12, dtype=torch.int16).view(4, 3)
    changed = base.clone()
    changed[2, 1] += 1
    prints = [of_array(tensor) for tensor in (base, changed, base.view(2, 6), base.int(), base.to(torch.bfloat16))]
    assert len(set(prints)) == len(prints)
    assert of_array(base.t().contiguous().t()) == of_array(base)
    assert of_array(torch.tensor([True, False])) != of_array(torch.tensor([False, False]))
    assert of_array(torch.zeros(2, 0)) != of_array(torch.zeros(3, 0))


def test_of_a_large_array_only_spaced_rows_count():
    large = torch.zeros(64, 2**20, dtype=torch.uint8)
    before = of_array(large)
    large[1] = 1  # between the rows looked at
    assert of_array(large) == before
    large[-1, -1] = 1
    assert of_array(large) != before


def test_other_items_by_what_they_hold():
    class Powers:
        formats = FORMATS

        def __init__(self, exponent, count=300):
            self.exponent, self.count = exponent, count

        def __len__(self):
            return self.count

        def __getitem__(self, index):
            return {"sample": torch.tensor(index**self.exponent)}

    assert fingerprint(Powers(2)) == fingerprint(Powers(2))
    assert len({fingerprint(items) for items in (Powers(2), Powers(3), Powers(2, 299))}) == 3

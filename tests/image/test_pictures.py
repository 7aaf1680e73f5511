"""One picture file of every kind that people have in their folders."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torch import Tensor
from wganx_image.datasets import pictures
from wganx_image.datasets.pictures import decode

from wganx import DataError

Encode = Callable[..., bytes]


def probe(content: bytes, path: str) -> Mapping[str, str]:
    return pictures.probe(io.BytesIO(content), path)


READERS = (partial(decode, size=8, channels=3), partial(decode, size=8, channels=1), probe)


def pixels(content: bytes, size: int = 8, channels: int = 3) -> Tensor:
    item = decode(content, "a/b.png", size=size, channels=channels)
    assert set(item) == {"sample"}
    sample = item["sample"]
    assert sample.dtype == torch.uint8
    assert sample.shape == (channels, size, size)
    assert sample.is_contiguous()
    return sample


def test_the_centred_square_is_kept(encoded: Encode) -> None:
    wide = Image.new("RGB", (40, 20), "red")
    wide.paste((0, 0, 255), (10, 0, 30, 20))
    for picture in (wide, wide.transpose(Image.Transpose.ROTATE_90)):
        seen = pixels(encoded(picture), size=10).float().mean(dim=(1, 2)).tolist()
        assert seen == pytest.approx([0, 0, 255], abs=4)  # the filter looks a little over the edge


def test_nothing_changes_at_the_picture_s_own_size(encoded: Encode) -> None:
    values = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert torch.equal(pixels(encoded(Image.fromarray(values)), size=16), torch.from_numpy(values).permute(2, 0, 1))


def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    waves = np.add.outer(np.sin(np.arange(900) / 40), np.cos(np.arange(1200) / 25))
    photo = encoded(Image.fromarray((127 + 60 * waves).astype(np.uint8)).convert("RGB"), "JPEG", quality=90)
    loaded = []
    load = Image.Image.load
    monkeypatch.setattr(Image.Image, "load", lambda self: (loaded.append(self.size), load(self))[1])
    small = pixels(photo, size=32)
    assert loaded[0] == (300, 225)  # a quarter; a sixth would be less than four times what is wanted
    whole = ImageOps.fit(Image.open(io.BytesIO(photo)), (32, 32), Image.Resampling.LANCZOS)
    assert (small.permute(1, 2, 0).float() - torch.from_numpy(np.array(whole)).float()).abs().max() <= 2


def test_shrinking_is_antialiased(encoded: Encode) -> None:
    """Single black and white columns become an even grey; without antialiasing one of the two would be left."""
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (64, 32))
    small = pixels(encoded(Image.fromarray(stripes)), size=8, channels=1)[:, 1:-1, 1:-1].float()
    assert (small - 127.5).abs().max() < 10


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I"])
@pytest.mark.parametrize("channels", [1, 3])
def test_white_is_white_in_every_mode(encoded: Encode, mode: str, channels: int) -> None:
    picture = Image.new("RGB", (12, 12), "white")
    if mode in ("I;16", "I"):
        picture = Image.fromarray(np.full((12, 12), 65535, np.uint16 if mode == "I;16" else np.int32))
    else:
        picture = picture.convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr", "I") else "PNG"
    assert pixels(encoded(picture, kind), channels=channels).eq(255).all()


def test_sixteen_bit_values_are_scaled_not_cut(encoded: Encode) -> None:
    ramp = (np.arange(64, dtype=np.uint16).reshape(8, 8) * 1040).astype(np.uint16)
    seen = pixels(encoded(Image.fromarray(ramp)), channels=1)[0]
    assert (seen.float() - torch.from_numpy(ramp / 257.0)).abs().max() <= 0.5


def test_values_of_unknown_range_are_refused(encoded: Encode) -> None:
    floating = encoded(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF")
    for read in READERS:  # what reads for the scan reads for the training
        with pytest.raises(DataError, match=r"a\.tif holds floating-point values of unknown range; convert it"):
            read(floating, "a.tif")
    wide = encoded(Image.fromarray(np.full((4, 4), 70000, np.int32)), "TIFF")
    for read in READERS:
        with pytest.raises(DataError, match=r"a\.tif holds values beyond 16 bit; convert it"):
            read(wide, "a.tif")


def test_twelve_bit_values_in_sixteen_bit_files_fill_the_range(encoded: Encode) -> None:
    ramp = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    content = encoded(Image.fromarray(ramp))
    seen = decode(content, "x", size=8, channels=1, bits=12)["sample"][0]
    assert (seen.float() - torch.from_numpy(ramp / 4095.0 * 255)).abs().max() <= 0.5
    with pytest.raises(DataError, match=r"^a\.png holds values beyond 10 bit, up to 4095; set dataset\.bits=16$"):
        decode(content, "a.png", size=8, channels=1, bits=10)


def test_transparent_parts_become_white(encoded: Encode) -> None:
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 8, 4))
    assert pixels(encoded(half), channels=1)[0, :, 0].tolist() == [255] * 4 + [0] * 4
    with_palette = half.convert("RGB").quantize(2)
    with_palette.info["transparency"] = with_palette.getpixel((0, 0))
    content = encoded(with_palette, transparency=with_palette.getpixel((0, 0)))
    assert pixels(content, channels=1).eq(255).all()  # both halves are black, and black was declared transparent


def test_the_noted_orientation_is_honoured(encoded: Encode) -> None:
    upright = Image.new("L", (8, 8), 0)
    upright.paste(255, (0, 0, 8, 4))  # white above
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is on the right: turn it by 90 degrees clockwise
    assert pixels(encoded(lying, exif=exif), channels=1)[0, :, 0].tolist() == [255] * 4 + [0] * 4


def test_only_the_first_frame_is_looked_at(encoded: Encode) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (255, 0)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixels(content, channels=1).eq(255).all()


@pytest.mark.parametrize("damage", ["empty", "text", "cut"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_pictures_are_named(encoded: Encode, damage: str, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    content = {"empty": b"", "text": b"not a picture", "cut": whole[: len(whole) // 2]}[damage]
    for read in READERS:
        with pytest.raises(DataError, match=r"^a/b\.png is no readable picture: "):
            read(content, "a/b.png")


@settings(deadline=None, max_examples=60)
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP"]))
def test_any_damage_ends_in_a_picture_or_a_data_error(data: st.DataObject, kind: str) -> None:
    made = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8)
    Image.fromarray(noise).save(made, kind)
    content = bytearray(made.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        sample = decode(bytes(content), "x", size=8, channels=3)["sample"]
    except DataError:
        return
    assert sample.shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html>", "it holds a web page; download it again"),
        (
            b"\0\0\0\x18ftypheic",
            "it holds a HEIF picture, whatever its name; convert it to PNG or JPEG, or name it .heic",
        ),
        (b"words", "it holds no kind of picture that is known here; save it anew as PNG or JPEG"),
    ],
)
def test_the_reason_says_what_the_file_is_and_no_object_of_python(content: bytes, reason: str) -> None:
    for read in READERS:
        with pytest.raises(DataError, match=f"^a/b.jpg is no readable picture: {reason}$"):
            read(content, "a/b.jpg")


def test_a_picture_of_too_many_pixels_is_named(encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5 * 10**6)
    content = encoded(Image.new("1", (4000, 4000)))
    for read in READERS:
        with pytest.raises(DataError, match=r"^a\.png has more pixels than the 10 million that are read; shrink it$"):
            read(content, "a.png")


def test_heic_is_read_where_pillow_heif_is_installed(encoded: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.new("RGB", (8, 8), "red"))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DataError, match=r"^a\.heic is a HEIF picture: pip install pillow-heif to read it$"):
        probe(content, "a.heic")
    asked = []
    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(register_heif_opener=lambda: asked.append(1)))
    assert probe(content, "a.HEIC")["size"] == "8x8"
    assert asked


def test_probe_tells_size_and_mode(encoded: Encode) -> None:
    found = dict(probe(encoded(Image.new("LA", (30, 20))), "x"))
    assert found.pop("alike") == 8 * 8 * 3 * "ff"  # transparent is white
    assert found == {"size": "30x20", "mode": "LA", "shorter side": "16 to 31"}
    assert "alike" not in probe(encoded(Image.new("L", (30, 7))), "x")


def test_probe_tells_what_is_turned_long_or_of_few_bits(encoded: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG"):
        assert probe(encoded(Image.new("L", (8, 8)), kind, exif=exif), "x")["turned"] == "as the camera noted"
        assert "turned" not in probe(encoded(Image.new("L", (8, 8)), kind), "x")
    exif[0x0112] = 99  # no such turn
    assert "turned" not in probe(encoded(Image.new("L", (8, 8)), "JPEG", exif=exif), "x")
    assert probe(encoded(Image.new("L", (64, 20))), "x")["shape"] == "more than 3 times as long as wide"
    assert probe(encoded(Image.fromarray(np.full((8, 8), 4095, np.uint16))), "x")["bits"] == "12"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_probe_tells_what_moves(encoded: Encode, kind: str) -> None:
    one, other = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    moving = encoded(one, kind, save_all=True, append_images=[other])
    assert probe(moving, "x")["moving"] == "the first of several pictures is used"
    assert "moving" not in probe(encoded(one, kind), "x")


@pytest.mark.parametrize("size", [(40, 10), (10, 40), (31, 10), (16, 16), (1, 50)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_whole_of_a_picture_lies_between_bands_of_its_border_s_colour(
    encoded: Encode, size: tuple[int, int], channels: int
) -> None:
    picture = Image.new("RGB", size, (200, 200, 200))
    width, height = size
    picture.paste((50, 50, 50), (width // 4, height // 4, 3 * width // 4 + 1, 3 * height // 4 + 1))
    found = decode(encoded(picture), "x", size=16, channels=channels, crop="whole")["sample"]
    assert (found.shape, found.dtype) == ((channels, 16, 16), torch.uint8)
    shown = found.float().mean(dim=0)
    assert shown.min() < 120  # what is in the middle is there
    if width != height and min(size) > 1:
        assert (shown[0] if width > height else shown[:, 0]).min() > 170  # and the bands are light
    plain = decode(encoded(Image.new("RGB", size, (9, 120, 250))), "x", size=16, channels=3, crop="whole")["sample"]
    assert (plain == torch.tensor([9, 120, 250])[:, None, None]).all()


def test_the_decoder_travels_to_workers(encoded: Encode) -> None:
    again = pickle.loads(pickle.dumps(partial(decode, size=8, channels=3)))
    assert again(encoded(Image.new("RGB", (8, 8), "red")), "x")["sample"][0].eq(255).all()

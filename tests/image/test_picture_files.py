"""Picture files as streams: turned as noted, with transparency, profile and format kept; what cannot be is told."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from wganx_image.picture_files import PictureSink, PictureSource
from wganx_image.writers import write_pictures

from wganx import Batch, DataError, SampleFormat, UsageError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 4), dtype=np.uint8)


def copied(path, out):
    """What is written of a file as it is, in two pieces."""
    source = PictureSource(path)
    sink = PictureSink(out, source)
    for start in range(0, source.length, 7):
        sink.write(source.read(start, 7))
    sink.close()
    with Image.open(out) as made:
        made.load()
        return made


def test_a_picture_is_read_row_by_row(tmp_path):
    Image.fromarray(PIXELS[..., :3]).save(tmp_path / "a.png")
    source = PictureSource(tmp_path / "a.png")
    assert (source.format.shape, source.length) == ((3, None, 20), 12)
    assert np.array_equal(source.read(0, 12).permute(1, 2, 0).numpy(), PIXELS[..., :3])
    assert torch.equal(source.read(10, 5), source.read(0, 12)[:, 10:])


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3)])
def test_pictures_of_every_mode_are_grey_or_coloured(tmp_path, mode, channels):
    Image.fromarray(PIXELS).convert(mode).save(tmp_path / "a.png")
    assert PictureSource(tmp_path / "a.png").format.shape[0] == channels


def test_pictures_for_print_are_read_as_lights(tmp_path):
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.jpg")
    red, green, blue = PictureSource(tmp_path / "a.jpg").read(0, 8)[:, 4, 4].tolist()
    assert red < 60 < 120 < min(green, blue)


def test_values_of_16_bit_are_brought_to_8(tmp_path):
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "a.png")
    assert PictureSource(tmp_path / "a.png").read(0, 1).flatten().tolist() == [0, 128, 255]


def test_a_turned_photo_is_read_upright_and_written_without_the_note(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.fromarray(PIXELS[..., :3]).save(tmp_path / "a.png", exif=exif)
    made = copied(tmp_path / "a.png", tmp_path / "b.png")
    assert made.size == (12, 20)
    assert np.array_equal(np.asarray(made), np.rot90(PIXELS[..., :3], -1))
    assert made.getexif().get(0x0112) is None
    assert made.getexif()[0x010F] == "a camera"


def test_transparency_is_carried_through_and_what_is_hidden_is_shown_white(tmp_path):
    pixels = PIXELS.copy()
    pixels[:4, :, 3], pixels[4:8, :, 3], pixels[8:, :, 3] = 0, 100, 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    read = PictureSource(tmp_path / "a.png").read(0, 12).permute(1, 2, 0).numpy()
    assert (read[:4] == 255).all()
    assert np.array_equal(read[4:], pixels[4:, :, :3])
    made = np.asarray(copied(tmp_path / "a.png", tmp_path / "b.webp"))
    assert np.array_equal(made[..., 3], pixels[..., 3])


def test_what_keeps_no_transparency_is_refused_before_anything_is_made(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"\.jpg keeps no transparency, which this picture has; name what is made"):
        PictureSink(tmp_path / "b.jpg", PictureSource(tmp_path / "a.png"))
    opaque = Image.fromarray(PIXELS[..., :3]).convert("RGBA")
    opaque.save(tmp_path / "c.png")
    assert copied(tmp_path / "c.png", tmp_path / "d.jpg").mode == "RGB"


def test_the_profile_of_colours_and_the_resolution_are_kept(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(PIXELS[..., :3]).save(tmp_path / "a.png", icc_profile=profile, dpi=(300, 300))
    made = copied(tmp_path / "a.png", tmp_path / "b.jpg")
    assert made.info["icc_profile"] == profile
    assert made.info["dpi"] == (300, 300)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".tif", ".bmp"])
def test_the_format_is_that_of_the_ending(tmp_path, suffix):
    Image.fromarray(PIXELS[..., :3]).save(tmp_path / "a.png")
    made = copied(tmp_path / "a.png", tmp_path / f"b{suffix}")
    assert Image.registered_extensions()[suffix.lower()] == made.format
    assert made.size == (20, 12)


def test_an_ending_that_is_no_picture_is_told_with_those_that_are(tmp_path):
    Image.fromarray(PIXELS[..., :3]).save(tmp_path / "a.png")
    source = PictureSource(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"written as .*\.jpg, .*\.png.*, not as \.mp4; name what is made so"):
        PictureSink(tmp_path / "b.mp4", source)
    for name in ("b", ".b.writing"):  # the second is how a name without an ending is written aside
        with pytest.raises(UsageError, match="not as no ending"):
            PictureSink(tmp_path / name, source)


@pytest.fixture
def full_disk():
    """No file grows beyond 2 KiB: what is written at once is cut short there, as by a disk that is nearly full."""
    resource, before = pytest.importorskip("resource"), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_a_picture_that_a_full_disk_cuts_short_is_an_error_in_every_format(tmp_path, suffix, full_disk):
    Image.fromarray(PIXELS[:8, :8, :3]).save(tmp_path / "a.png")
    sink = PictureSink(tmp_path / f"b{suffix}", PictureSource(tmp_path / "a.png"))
    sink.write(torch.randint(0, 256, (3, 60, 80), generator=torch.Generator().manual_seed(0)))
    with pytest.raises(DataError, match=r"no picture can be written into .*: File too large"):
        sink.close()


def test_drawn_pictures_that_a_full_disk_cuts_short_are_an_error(tmp_path, full_disk):
    format = SampleFormat(axes=("channel", "height", "width"), shape=(3, 60, 80))
    batch = Batch(torch.rand(1, 3, 60, 80, generator=torch.Generator().manual_seed(0)))
    with pytest.raises(DataError, match=r"no picture can be written into .*: File too large"):
        write_pictures(batch, format, tmp_path, "sample")


def test_an_animation_is_no_picture_and_what_a_camera_stores_beside_one_does_not_matter(tmp_path):
    frames = [Image.fromarray(PIXELS[..., :3]), Image.new("RGB", (20, 12))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"a\.gif is a film of 2 pictures; save those that you want"):
        PictureSource(tmp_path / "a.gif")
    frames[0].save(tmp_path / "b.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert PictureSource(tmp_path / "b.jpg").length == 12


def test_a_file_that_is_no_picture_is_told(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"a\.png is no readable picture: it holds a web page"):
        PictureSource(tmp_path / "a.png")

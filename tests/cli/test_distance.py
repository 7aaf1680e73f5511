"""`wganx distance`: every kind of set it reads, what it prints, what it refuses."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

from wganx.cli import main
from wganx.errors import DataError
from wganx.evaluation.distance import METHODS
from wganx.runs import open_pair, open_samples


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def rows(seed, n=80, shape=(3,)):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32)


@pytest.fixture
def arrays(tmp_path):
    np.save(tmp_path / "a.npy", rows(0))
    np.save(tmp_path / "b.npy", rows(1) + 1)
    return tmp_path / "a.npy", tmp_path / "b.npy"


def pictures(folder, seed, n=24, size=(20, 14)):
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(seed).integers(0, 256, size=(n, *size, 3), dtype=np.uint8)
    for index, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{index:03}.png")
    return folder


def test_the_table_says_value_floors_ratio_and_what_they_are(arrays):
    output = call("distance", *arrays)
    for word in ("exact-w1", "sliced-w1", "energy", "floor A", "floor B", "excess", "ratio", "samples of 3, seed 0"):
        assert word in output
    assert "the distance between 10 draws of A and of B" in " ".join(output.split())


def test_json_holds_everything(arrays):
    output = call("distance", *arrays, "--json", "--method", "energy", "--n", 8, "--repeats", 3, "--seed", 5)
    found = json.loads(output)
    assert (found["a"], found["b"]) == tuple(map(str, arrays))
    assert (found["n"], found["repeats"], found["seed"], found["dim"], found["shape"]) == (8, 3, 5, 3, [3])
    assert set(found["versions"]) == {"wganx", "torch", "POT", "numpy"}
    (row,) = found["rows"]
    assert row["method"] == "energy"
    assert row["between"]["low"] < row["between"]["mean"] < row["between"]["high"]
    assert row["ratio"] == pytest.approx(2 * row["between"]["mean"] / (row["floor_a"]["mean"] + row["floor_b"]["mean"]))


def test_the_help_lists_every_method():
    output = " ".join(call("distance", "--help").split())
    assert f"{', '.join(METHODS)}; repeat" in output


def test_arrays_of_every_file_format(tmp_path):
    data = rows(0)
    np.save(tmp_path / "one.npy", data)
    np.savez(tmp_path / "one.npz", data)
    np.savez(tmp_path / "two.npz", real=data, fake=data + 1)
    save_file({"real": torch.from_numpy(data)}, tmp_path / "one.safetensors")
    save_file({"real": torch.from_numpy(data).bfloat16(), "x": torch.zeros(1)}, tmp_path / "two.safetensors")
    expected = open_samples(str(tmp_path / "one.npy")).draw(80, 0)
    assert expected.dtype == torch.float32
    assert torch.equal(expected.sort(dim=0).values, torch.from_numpy(data).sort(dim=0).values)
    for name in ("one.npz", "two.npz:real", "one.safetensors"):
        assert torch.equal(open_samples(str(tmp_path / name)).draw(80, 0), expected), name
    rough = open_samples(f"{tmp_path / 'two.safetensors'}:real").draw(80, 0)
    assert torch.allclose(rough, expected, rtol=0.01)
    assert "exact-w1" in call("distance", tmp_path / "one.npy", f"{tmp_path / 'two.npz'}:fake", "--repeats", 2)


def test_numbers_are_taken_as_they_are(tmp_path):
    for name, kind, drawn in (
        ("u", np.uint8, torch.float32),
        ("i", np.int64, torch.float64),
        ("f", float, torch.float64),
    ):
        np.save(tmp_path / f"{name}.npy", np.arange(6, dtype=kind) * 40)
        samples = open_samples(str(tmp_path / f"{name}.npy"))
        assert samples.size == 6
        found = samples.draw(4, 1)
        assert found.dtype == drawn
        assert found.unique().numel() == 4
        assert set(found.tolist()) <= {0, 40, 80, 120, 160, 200}


def test_folders_of_pictures_are_read_by_the_plugin(tmp_path):
    a, b = pictures(tmp_path / "a", 0), pictures(tmp_path / "b", 1, size=(30, 30))
    samples = open_samples(str(a), plugin="image", settings=["dataset.size=8"])
    found = samples.draw(24, 0)
    assert (samples.size, found.shape, found.dtype) == (24, (24, 3, 8, 8), torch.float32)
    assert -1 <= float(found.min()) < 0 < float(found.max()) <= 1
    assert found.flatten(1).unique(dim=0).shape[0] == 24  # held-out files too, none twice
    output = call(
        "distance", a, b, "--plugin", "image", "--set", "dataset.size=8", "--repeats", 2, "--method", "energy"
    )
    assert "samples of 3x8x8" in output


def test_a_picture_that_cannot_be_read_is_left_out_and_named_and_no_other_stands_for_it(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "a", 0, n=40)
    (folder / "007.png").write_bytes(b"no picture")
    said = []
    samples = open_samples(str(folder), plugin="image", warn=said.append)
    assert samples.size == 39
    assert samples.draw(39, 0).flatten(1).unique(dim=0).shape[0] == 39
    assert said == [
        f"{folder}: 007.png cannot be read (no readable picture: it holds no kind of picture that is known "
        "here; save it anew as PNG or JPEG) and is left out"
    ]
    monkeypatch.setattr("wganx.runs.samples._FEW", 10)  # as if these were many
    many = open_samples(str(folder), plugin="image", warn=said.append)
    assert many.size == 40
    assert many.draw(39, 0).flatten(1).unique(dim=0).shape[0] == 39
    with pytest.raises(DataError, match=r"a: only 39 of 40 items can be read; draw fewer with --n$"):
        many.draw(40, 0)
    assert len(said) == 2


def test_points_and_archives(tmp_path):
    (tmp_path / "points.csv").write_text("\n".join(f"{i},{i * i}" for i in range(40)), encoding="utf-8")
    assert open_samples(str(tmp_path / "points.csv"), plugin="points").draw(40, 0).shape == (40, 2)
    import shutil

    archive = shutil.make_archive(str(tmp_path / "pictures"), "zip", pictures(tmp_path / "p", 0))
    found = open_samples(archive, plugin="image", settings=["dataset.size=8", "dataset.channels=1"]).draw(5, 0)
    assert found.shape == (5, 1, 8, 8)


def test_a_run_stands_for_what_it_makes(tmp_path):
    small = [
        "--set", "train.steps=2", "--set", "train.batch_size=8", "--set", "train.critic_steps=1", "--set",
        "dataset.count=100", "--set", "generator.width=8", "--set", "critic.width=8", "--set", "log.every=2", "--set",
        "preview.every=2", "--set", "preview.count=4", "--device", "cpu",
    ]  # fmt: skip
    run = tmp_path / "run"
    call("train", "--plugin", "points", *small, "--out", run)
    samples = open_samples(str(run))
    assert samples.size is None
    assert samples.draw(30, 3).shape == (30, 2)
    assert not torch.equal(samples.draw(30, 3), samples.draw(30, 4))
    np.save(tmp_path / "real.npy", rows(0, n=60, shape=(2,)))
    assert "samples of 2" in call("distance", run, tmp_path / "real.npy", "--repeats", 2, "--method", "sliced-w1")


def test_a_folder_beside_a_run_is_read_as_the_run_would(tmp_path):
    small = [
        "--set", "train.steps=1", "--set", "train.batch_size=4", "--set", "train.critic_steps=1", "--set",
        "generator.width=4", "--set", "critic.width=4", "--set", "preview.every=1", "--set", "preview.count=2",
        "--device", "cpu",
    ]  # fmt: skip
    photos = pictures(tmp_path / "photos", 0)
    run = tmp_path / "run"
    call("train", "--plugin", "image", "--set", "dataset.size=16", "--set", "dataset.channels=1", *small, "--data",
         photos, "--out", run)  # fmt: skip
    others = pictures(tmp_path / "others", 1)
    for sides in ((run, others), (others, run)):
        output = call("distance", *sides, "--repeats", 2, "--method", "energy")
        assert "samples of 1x16x16" in output
    a, _ = open_pair(str(others), str(run))
    assert a.draw(3, 0).shape == (3, 1, 16, 16)
    said = open_pair(str(others), str(run), settings=["dataset.size=8"])[0]
    assert said.draw(3, 0).shape == (3, 1, 8, 8)
    assert "samples differ in shape: (1, 16, 16)" in " ".join(
        call("distance", run, others, "--set", "dataset.size=8", "--repeats", 2, code=2).split()
    )


def test_a_folder_beside_a_run_on_another_dataset_has_its_size_and_channels(tmp_path):
    run = tmp_path / "run"
    call(
        "train", "--plugin", "image", "--set", "train.steps=1", "--set", "train.batch_size=4", "--set",
        "train.critic_steps=1", "--set", "generator.width=4", "--set", "critic.width=4", "--set", "preview.count=2",
        "--device", "cpu", "--out", run,
    )  # fmt: skip
    a, b = open_pair(str(pictures(tmp_path / "photos", 0)), str(run))
    assert a.draw(3, 0).shape == b.draw(3, 0).shape


def test_arrays_of_single_numbers_have_a_distance(tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        np.save(tmp_path / f"{name}.npy", rows(seed, n=200, shape=()) + seed)
    methods = [
        word for method in ("exact-w1", "sliced-w1", "energy", "sinkhorn", "mmd") for word in ("--method", method)
    ]
    output = call("distance", tmp_path / "a.npy", tmp_path / "b.npy", *methods, "--json")
    found = json.loads(output)
    assert (found["shape"], found["dim"]) == ([], 1)
    assert found["rows"][0]["excess"]["low"] > 0
    assert "samples of 1, seed 0" in call("distance", tmp_path / "a.npy", tmp_path / "b.npy", "--method", "energy")


def test_bytes_against_numbers_from_0_to_1_are_refused_with_the_mend(tmp_path):
    data = np.random.default_rng(0).integers(0, 256, size=(80, 4), dtype=np.uint8)
    np.save(tmp_path / "bytes.npy", data)
    np.save(tmp_path / "mask.npy", (data > 128).astype(np.uint8))
    for name, values in (("unit", data / 255), ("centred", data / 127.5 - 1), ("floats", data.astype(np.float32))):
        np.save(tmp_path / f"{name}.npy", values)

    def said(a, b, code=0):
        output = call("distance", tmp_path / f"{a}.npy", tmp_path / f"{b}.npy", "--method", "energy", code=code)
        return " ".join(output.split())

    for sides in (("bytes", "unit"), ("unit", "bytes"), ("bytes", "centred")):
        refusal = said(*sides, code=2)
        assert "bytes.npy holds bytes up to 255 and" in refusal
        assert "their distance would be that of the scales; bring both to one, as by x / 255" in refusal
    for sides in (("floats", "unit"), ("unit", "centred")):
        assert "if these are two scales of one thing, bring both to one" in said(*sides)
    for sides in (("bytes", "floats"), ("mask", "unit")):
        assert "scale" not in said(*sides)


def test_a_name_between_colons_is_no_emoji(tmp_path):
    np.savez(tmp_path / "z.npz", a=rows(0), b=rows(1))
    output = call("distance", f"{tmp_path}/z.npz:a", f"{tmp_path}/z.npz:b", "--method", "energy")
    flat = "".join(output.split())
    assert f"A{tmp_path}/z.npz:a,B{tmp_path}/z.npz:b:samplesof3" in flat


def test_what_holds_no_samples_is_refused(tmp_path, arrays):
    a, _ = arrays

    def refused(source, *more):
        return " ".join(call("distance", a, source, *more, code=2).split())

    np.savez(tmp_path / "two.npz", real=rows(0), fake=rows(1))
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "things.npy", np.array([{}, {}]), allow_pickle=True)
    np.save(tmp_path / "number.npy", np.float32(3))
    np.save(tmp_path / "holes.npy", np.full((80, 3), np.nan, dtype=np.float32))
    np.save(tmp_path / "few.npy", rows(0, n=7))
    np.save(tmp_path / "wide.npy", rows(0, shape=(4,)))
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    (tmp_path / "broken.npy").write_bytes(b"")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    (tmp_path / "folder").mkdir()

    assert "there is no file" in refused(tmp_path / "missing.npy")
    assert "there is no file or folder at" in refused(tmp_path / "missing")
    assert "holds 2 arrays (real, fake); say which:" in refused(tmp_path / "two.npz")
    assert "holds no array 'reel'; it holds: real, fake; did you mean 'real'?" in refused(f"{tmp_path}/two.npz:reel")
    assert "holds a single array, which has no name; leave out :x" in refused(f"{a}:x")
    assert "holds <U1 values, and numbers of at most 64 bit are wanted" in refused(tmp_path / "words.npy")
    assert "holds object values, and numbers of at most 64 bit are wanted" in refused(tmp_path / "things.npy")
    assert "holds float32 values of shape (); rows of numbers are wanted" in refused(tmp_path / "number.npy")
    assert "of 80 rows hold values that are not finite" in refused(tmp_path / "holes.npy")
    assert "few.npy has 7 rows, and an interval with its floor needs" in refused(tmp_path / "few.npy")
    assert "samples differ in shape: (3,) in" in refused(tmp_path / "wide.npy")
    for name in ("broken.npz", "broken.npy", "broken.safetensors"):
        assert f"{name} cannot be read as an array of numbers: " in refused(tmp_path / name)
    said = refused(tmp_path / "folder")
    assert "is neither a run nor an array file: say which plugin reads it with --plugin NAME (installed: " in said
    assert "is empty; put files ending in" in refused(tmp_path / "folder", "--plugin", "image")
    assert "no plugin named 'imag'" in refused(tmp_path / "folder", "--plugin", "imag")
    assert "no such option" in refused(tmp_path / "folder", "--plugin", "image", "--set", "dataset.sise=3")


def test_wrong_calls_are_refused(arrays):
    a, b = arrays
    assert "did you mean 'sinkhorn'?" in call("distance", a, b, "--method", "sinkhorm", code=2)
    assert "A and B are both" in call("distance", a, a, code=2)
    assert "needs 1600: 40 disjoint blocks of 40" in call("distance", a, b, "--n", 40, "--repeats", 20, code=2)
    assert "is not in the range x>=2" in call("distance", a, b, "--n", 1, code=2)

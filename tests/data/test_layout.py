import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.data.layout import layout_of
from wganx.errors import DataError

names = st.text("abcdefgh", min_size=1, max_size=6)
flat_paths = st.lists(names.map(lambda name: name + ".png"), min_size=2, max_size=60, unique=True).map(sorted)


@settings(deadline=None)
@given(flat_paths)
def test_the_splits_are_disjoint_complete_and_neither_is_empty(paths):
    layout = layout_of(paths)
    assert sorted((*layout.train, *layout.heldout)) == paths
    assert layout.train
    assert layout.heldout
    assert not layout.split_by_folder
    assert not layout.outside


@settings(deadline=None)
@given(flat_paths)
def test_a_wrapping_folder_changes_no_split(paths):
    bare, wrapped = layout_of(paths), layout_of([f"photos/{path}" for path in paths])
    assert wrapped.heldout == tuple(f"photos/{path}" for path in bare.heldout)


def test_a_tenth_is_held_out_and_adding_files_moves_none():
    paths = [f"{i:05}.png" for i in range(5000)]
    before, after = layout_of(paths[:4000]), layout_of(paths)
    assert set(before.heldout) == set(after.heldout) & set(paths[:4000])
    assert len(after.heldout) == pytest.approx(500, abs=65)  # 3 standard deviations of the binomial


def test_a_single_file_is_for_training():
    layout = layout_of(["a.png"])
    assert (layout.train, layout.heldout) == (("a.png",), ())


@pytest.mark.parametrize("wrapper", ["", "set/"])
@pytest.mark.parametrize("train", ["Train", "training"])
@pytest.mark.parametrize("heldout", ["test", "testing", "val", "valid", "validation", "heldout", "TEST"])
def test_split_folders_are_the_splits(wrapper, train, heldout):
    paths = sorted(
        f"{wrapper}{path}" for path in (f"{train}/1.png", f"{train}/x/2.png", f"{heldout}/3.png", "extra/4.png")
    )
    layout = layout_of(paths)
    assert layout.split_by_folder
    assert layout.train == (f"{wrapper}{train}/1.png", f"{wrapper}{train}/x/2.png")
    assert layout.heldout == (f"{wrapper}{heldout}/3.png",)
    assert layout.outside == (f"{wrapper}extra/4.png",)


@pytest.mark.parametrize("wrapper", ["", "horse2zebra/"])
def test_folders_of_two_domains_without_pairs_are_split_and_class_in_one(wrapper):
    """Read as four classes, such a set would have a translation from trainA into testA."""
    train = [f"{wrapper}train{letter}/{number}.jpg" for letter in "AB" for number in range(3)]
    heldout = [f"{wrapper}{split}{letter}/1.jpg" for split in ("test", "val") for letter in "AB"]
    layout = layout_of(sorted([*train, *heldout]))
    assert (layout.train, layout.heldout) == (tuple(sorted(train)), tuple(sorted(heldout)))
    assert (layout.classes, layout.split_by_folder, layout.outside) == (("A", "B"), True, ())
    assert layout.counts() == {letter: {"train": 3, "heldout": 2} for letter in "AB"}
    assert layout.remarks() == []
    assert layout_of([path.removeprefix("horse2zebra/") for path in layout.train]).classes == ("trainA", "trainB")


@pytest.mark.parametrize("other", ["testC/1.jpg", "more/1.jpg", "1.jpg", "trainAB/1.jpg", "testb/1.jpg"])
def test_where_other_folders_lie_beside_them_letters_mean_nothing(other):
    paths = sorted(["trainA/1.jpg", "trainB/1.jpg", "testA/1.jpg", "testB/1.jpg", other])
    assert not layout_of(paths).lettered


def test_both_test_and_validation_are_held_out():
    layout = layout_of(["test/1.png", "train/2.png", "val/3.png"])
    assert layout.heldout == ("test/1.png", "val/3.png")


@pytest.mark.parametrize(
    "paths", [["train/1.png", "train/2.png"], ["test.png", "train.png"], ["other/1.png", "train/2.png"]]
)
def test_a_train_folder_alone_is_no_split(paths):
    assert not layout_of(paths).split_by_folder


@pytest.mark.parametrize(
    ("paths", "classes"),
    [
        (["cat/1.png", "dog/deep/2.png"], ("cat", "dog")),
        (["pets/cat/1.png", "pets/dog/2.png"], ("cat", "dog")),
        (["test/cat/1.png", "test/emu/4.png", "train/cat/2.png", "train/dog/3.png"], ("cat", "dog", "emu")),
        (["s/test/cat/1.png", "s/train/cat/2.png", "s/train/dog/3.png"], ("cat", "dog")),
        (["train/cat/1.png", "train/dog/2.png"], ("cat", "dog")),
        (["s/train/cat/1.png", "s/train/dog/2.png"], ("cat", "dog")),
        (["s/Training/cat/1.png", "s/Training/dog/2.png"], ("cat", "dog")),
        (["cat/1.png", "cat/2.png"], ()),
        (["cat/1.png", "dog/2.png", "stray.png"], ()),
        (["1.png", "2.png"], ()),
        (["test/1.png", "train/cat/2.png", "train/dog/3.png"], ()),
    ],
)
def test_class_folders(paths, classes):
    layout = layout_of(paths)
    assert layout.classes == classes
    for path in (*layout.train, *layout.heldout):
        name = layout.class_of(path)
        assert (name in classes and f"{name}/" in path) if classes else name is None


@pytest.mark.parametrize(
    ("paths", "empty", "remark"),
    [
        (
            ["cat/1.png", "cat/2.png", "dog/2.png", "stray.png"],
            [],
            "the folders cat, dog would be classes, but for 1 file beside them (stray.png), so there are no labels; "
            "move it into one of the folders, or out of the data",
        ),
        (
            ["test/1.png", "train/cat/2.png", "train/dog/3.png"],
            [],
            "the folders cat, dog would be classes, but for 1 file beside them (test/1.png), so there are no labels; "
            "move it into one of the folders, or out of the data",
        ),
        (
            ["test/a/cat/1.png", "train/a/cat/2.png", "train/a/dog/3.png"],
            [],
            "the folders cat, dog in a are no classes, since they lie a level too deep, so there are no labels; "
            "move them out of a to have them read as classes",
        ),
        (
            [f"{name}/{number}.png" for name in ("cat", "dog", "train") for number in range(5)],
            [],
            "the folder train is read as a class, since no folder test lies beside it; "
            "put every file into one of the two to split them yourself",
        ),
        (
            ["stray.png", "val/1.png"],
            [],
            "the folder val is read as any other folder, since no folder train lies beside it; "
            "put every file into one of the two to split them yourself",
        ),
        (
            [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(5)],
            ["emu", "emu/young", "fox"],
            "no file that can be read in the folders emu, fox, so none is a class by it",
        ),
        (["cat/1.png", "cat/2.png"], ["dog"], "no file that can be read in the folder dog, so none is a class by it"),
        (
            ["test/cat/1.png", "train/cat/2.png", "train/dog/3.png"],
            ["test/dog", "train/cat/notes"],
            "no file that can be read in the folder test/dog, so none is a class by it",
        ),
        (
            ["test/cat/1.png", "test/emu/1.png", "train/cat/2.png", "train/dog/3.png"],
            [],
            "no training file in the class emu, so nothing is learnt of it",
        ),
    ],
)
def test_a_layout_that_is_nearly_another_is_remarked_on(paths, empty, remark):
    assert layout_of(paths, empty).remarks() == [remark]


@pytest.mark.parametrize(
    ("paths", "empty"),
    [
        ([f"{name}/{number}.png" for name in ("cat", "dog") for number in range(9)], []),
        (["1.png", "2.png", "3.png"], ["thumbnails"]),
        (["album/1.png", "album/2.png"], []),
        (["1.png", "2.png", "3.png", "trip/4.png", "walk/5.png"], []),
    ],
)
def test_a_plain_layout_is_not_remarked_on(paths, empty):
    assert layout_of(paths, empty).remarks() == []


def test_the_files_of_every_class_are_counted():
    layout = layout_of(["test/cat/1.png", "train/cat/2.png", "train/cat/4.png", "train/dog/3.png"])
    assert layout.counts() == {"cat": {"train": 2, "heldout": 1}, "dog": {"train": 1, "heldout": 0}}
    assert layout_of(["1.png", "2.png"]).counts() == {}


def test_files_outside_the_splits_do_not_decide_about_classes():
    assert layout_of(["notes.png", "test/a/1.png", "train/a/2.png", "train/b/3.png"]).classes == ("a", "b")


speakers = st.lists(
    st.tuples(st.sampled_from(["anna", "ben", "cleo", "dora", None]), names), min_size=2, max_size=40, unique=True
)


def group(path):
    """``anna-1.wav`` belongs to anna, ``-1.wav`` to nobody."""
    return path.split("/")[-1].split("-")[0] or None


@settings(deadline=None)
@given(speakers)
def test_a_group_is_never_split_and_nothing_is_lost(files):
    paths = sorted(f"{speaker or ''}-{name}.wav" for speaker, name in files)
    layout = layout_of(paths)
    if len({group(path) or path for path in paths}) < 2:
        with pytest.raises(DataError, match="belong to one group"):
            layout.by_group(group)
        return
    split = layout.by_group(group)
    assert sorted((*split.train, *split.heldout)) == paths
    assert split.train
    assert split.heldout
    assert not {group(path) for path in split.train} & {group(path) for path in split.heldout} - {None}
    wrapped = layout_of([f"set/{path}" for path in paths]).by_group(group)
    assert wrapped.heldout == tuple(f"set/{path}" for path in split.heldout)
    assert (split.classes, split.outside, split.depth) == (layout.classes, layout.outside, layout.depth)


def test_files_without_a_group_are_held_out_one_by_one():
    paths = [f"{i:05}.png" for i in range(3000)]
    alone = layout_of(paths).by_group(lambda path: None)
    assert len(alone.heldout) == pytest.approx(300, abs=50)  # 3 standard deviations of the binomial


def test_a_tenth_of_the_groups_is_held_out_and_adding_files_moves_none():
    paths = [f"{speaker:04}-{i}.wav" for speaker in range(1000) for i in range(3)]
    before = layout_of(paths[:2400]).by_group(group)
    after = layout_of(paths).by_group(group)
    assert set(before.heldout) == set(after.heldout) & set(paths[:2400])
    assert len(after.heldout) == pytest.approx(300, abs=90)


def test_a_single_group_is_refused():
    message = (
        r"^all 3 files belong to one group, 'anna', which leaves none to hold out; "
        r"add files of another, or put them into folders train and test$"
    )
    with pytest.raises(DataError, match=message):
        layout_of(["anna-1.wav", "anna-2.wav", "anna-3.wav"]).by_group(group)


def test_split_folders_stay_and_a_group_in_both_is_named(caplog):
    layout = layout_of(["train/anna-1.wav", "train/ben-1.wav", "train/-1.wav", "test/anna-2.wav", "test/-2.wav"])
    assert layout.by_group(group) == layout
    assert caplog.messages == [
        "1 group lies in both split folders, so what is held out is not all new to who trained on the rest: anna"
    ]
    caplog.clear()
    many = layout_of([f"{split}/{name}-1.wav" for split in ("train", "val") for name in "abcdefg"])
    many.by_group(group)
    assert caplog.messages[0].startswith("7 groups lie in both split folders")
    assert caplog.messages[0].endswith(": a, b, c, d, e and 2 more")
    caplog.clear()
    layout_of(["train/anna-1.wav", "test/ben-1.wav"]).by_group(group)
    assert not caplog.messages

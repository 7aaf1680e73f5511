"""The line: one at a time, in order, bounded; who leaves makes room, and what fails holds nobody up."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from wganx import Task
from wganx.demo.line import Full, Left, Line, Place, View
from wganx.errors import DataError
from wganx.plugins.guard import calling


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Held:
    """Work that goes on until it is let go, and looks up all the while."""

    def __init__(self) -> None:
        self.begun, self.go = Event(), Event()

    def __call__(self, place: Place[str]) -> str:
        self.begun.set()
        while not self.go.wait(0.005):
            place.check()
        place.check()
        return "held"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def line(clock):
    with Line[str](seconds=50, longest=4, patience=30, kept=100, most_kept=2, clock=clock) as line:
        yield line


@pytest.fixture
def join(line, tmp_path):
    """A place of its own folder, named."""

    def join(work, name="a"):
        folder = tmp_path / name
        folder.mkdir()
        return line.join(work, folder)

    return join


def ended(line, place):
    known = None
    while (view := line.view(place, known, wait=5)) is not None and view.state not in ("done", "failed"):
        known = view
    return view


def test_visitors_are_served_one_after_the_other_in_their_order(line, join):
    held, served = Held(), []

    def work(place):
        served.append(place.folder.name)
        return place.folder.name.upper()

    first = join(held)
    assert held.begun.wait(5)
    second, third = join(work, "b"), join(work, "c")
    assert [line.view(place) for place in (first, second, third)] == [
        View("working", 0, None), View("waiting", 1, None), View("waiting", 2, None),
    ]  # fmt: skip
    held.go.set()
    assert ended(line, third) == View("done", 0, None)
    assert (served, third.outcome, second.outcome) == (["b", "c"], "C", "B")


def test_a_look_waits_until_something_is_other_than_what_is_known(line, join):
    held = Held()
    join(held)
    assert held.begun.wait(5)
    second = join(lambda place: "b", "b")
    before = line.view(second)
    assert line.view(second, before, wait=0.05) == before, "nothing changed"
    Thread(target=held.go.set).start()
    assert line.view(second, before, wait=5) != before


def test_the_share_that_is_done_is_seen(line, join):
    told, go = Event(), Event()

    def work(place):
        place.tell(0.255)
        told.set()
        go.wait(5)
        return ""

    place = join(work)
    assert told.wait(5)
    assert line.view(place) == View("working", 0, 25)
    go.set()


def test_a_full_line_lets_nobody_in(line, join):
    held = Held()
    join(held)
    for name in "bcd":
        join(held, name)
    with pytest.raises(Full, match="4 visitors wait already; come back in a while"):
        join(held, "e")
    held.go.set()


def test_who_leaves_makes_room_and_the_next_moves_up(line, join, tmp_path):
    held = Held()
    first = join(held)
    assert held.begun.wait(5)
    second, third = join(held, "b"), join(lambda place: "c", "c")
    line.leave(second.token)
    assert line.view(third) == View("waiting", 1, None)
    assert not (tmp_path / "b").exists()
    line.leave(first.token)  # in the midst of the work
    assert ended(line, third).state == "done"
    assert line.find(first.token) is None
    assert not (tmp_path / "a").exists(), "what had been written goes when the work is broken off"


def test_who_leaves_without_a_word_is_not_served(line, join, clock):
    held, served = Held(), []
    first = join(held)
    assert held.begun.wait(5)
    silent, heard = join(lambda place: served.append("silent"), "b"), join(lambda place: "c", "c")
    clock.now = 31
    for place in (first, heard):
        line.find(place.token)
    held.go.set()
    assert ended(line, heard).state == "done"
    assert (served, line.find(silent.token)) == ([], None)


def test_work_for_a_visitor_who_is_silent_is_broken_off(line, join, clock):
    held = Held()
    place = join(held)
    assert held.begun.wait(5)
    clock.now = 31
    assert ended(line, join(lambda place: "b", "b")).state == "done"
    assert line.find(place.token) is None


def test_what_is_prepared_for_all_is_not_counted(line, join, clock):
    def work(place):
        clock.now = 29
        line.find(place.token)
        clock.now = 58
        place.begin_anew()
        line.find(place.token)
        clock.now = 87
        place.check()
        return "made"

    place = join(work)
    assert ended(line, place).state == "done"
    assert place.outcome == "made"


def test_what_takes_too_long_is_said_in_words(line, join, clock):
    held = Held()
    place = join(held)
    assert held.begun.wait(5)
    clock.now = 20
    line.find(place.token)
    clock.now = 49.9
    line.find(place.token)
    clock.now = 50.1
    assert ended(line, place).state == "failed"
    assert place.message == (
        "this takes longer than 50 seconds, which is all that a visitor may take here; ask for less, or send a shorter "
        "or a smaller file"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("x.png is no picture"), "x.png is no picture"),
        (ValueError("odd\nnumber"), "ValueError: odd number"),
        (MemoryError(), "MemoryError"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_what_fails_says_why_and_the_next_is_served(line, join, error, message):
    def fail(place):
        raise error

    failed, next_ = join(fail), join(lambda place: "b", "b")
    assert ended(line, next_).state == "done"
    assert (line.view(failed).state, failed.message) == ("failed", message)


def test_results_are_kept_for_a_while_and_so_many(line, join, clock, tmp_path):
    places = []
    for number, name in enumerate("abc"):
        clock.now = float(number)
        places.append(join(lambda place: "x", name))
        ended(line, places[-1])
    join(lambda place: "x", "d")
    assert line.find(places[0].token) is None, "two are kept, and the oldest made room"
    assert not (tmp_path / "a").exists()
    clock.now = 101.5
    line.refuse_if_full()
    assert line.find(places[1].token) is None
    assert not (tmp_path / "b").exists()


def test_a_closed_line_leaves_nothing_behind(tmp_path):
    held = Held()
    with Line[str](seconds=50) as line:
        for name in "ab":
            (tmp_path / name).mkdir()
            line.join(held, tmp_path / name)
        assert held.begun.wait(5)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Full):
        line.join(held, tmp_path)


def test_leaving_passes_through_the_guard_around_a_plugin():
    part = Task(name="x", modality="y", summary="", build="a:b")
    with pytest.raises(Left), calling(part, "apply"):
        raise Left


def test_what_is_of_use_to_all_goes_on_when_its_visitor_leaves_and_not_when_the_line_is_closed(tmp_path):
    begun, left, goes_on, ended_by = Event(), Event(), Event(), []

    def work(place):
        begun.set()
        assert left.wait(5)
        place.check_open()
        with pytest.raises(Left):
            place.check()
        goes_on.set()
        while True:
            try:
                place.check_open()
            except Left as error:
                ended_by.append(str(error))
                raise

    with Line[str](seconds=50) as line:
        place = line.join(work, tmp_path / "a")
        assert begun.wait(5)
        line.leave(place.token)
        left.set()
        assert goes_on.wait(5)
    assert ended_by == ["the line is closed"]


def test_tokens_cannot_be_guessed(line, join):
    tokens = {join(lambda place: "", name).token for name in "abc"}
    assert len(tokens) == 3
    assert {len(token) for token in tokens} == {22}

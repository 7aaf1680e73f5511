"""Runs that are killed at every change they make to the disk, and gone on with: they end as one never killed.

What is compared are the bytes of every checkpoint, of ``metrics.jsonl``, of the previews and of the mark of the best
one, and the facts in ``run.json``; nothing hidden is left. What a kill leaves is put there, which is faster than to
kill: that it is the same is tested.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import wganx
from tests.reliability.disk import Event, watched
from tests.reliability.outcome import Outcome, judge
from tests.reliability.small_runs import (
    Album,
    Point,
    Small,
    cheap,
    differences,
    digest,
    end_of,
    no_exchange,
    photograph,
    scratch_folder,
    smallest,
    told,
)  # fmt: skip
from wganx.errors import WganxError
from wganx.plugins import discover
from wganx.runs import RunFolder

SECONDS = 60.0


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Of every installed plugin up to `count` points, all where there are no more; and two processes in one run."""
    for plugin in dict.fromkeys(found.name for found in discover()):
        try:
            small = smallest(plugin)
        except WganxError as error:
            print(f"{plugin}: {error}", file=sys.stderr)
            continue
        with scratch_folder() as scratch, cheap():
            album = photograph(small, scratch)
            yield from cases_of(album, count, seed, scratch)
            if plugin == "points":
                for number in range(len(album.places) // 20, len(album.places) * 3 // 4, len(album.places) // 5):
                    yield from two_at_once(small, scratch / f"two-{number}", album.places[number][0])
        if plugin == "points":
            with scratch_folder() as scratch, cheap(), no_exchange():
                yield from cases_of(photograph(small, scratch), count, seed, scratch, "no exchange of names, ")


def cases_of(album: Album, count: int, seed: int, scratch: Path, how: str = "") -> Iterator[Outcome]:
    """Up to `count` points of one run; points at which the disk held the same are tried once."""
    places = list(album.places)
    if len(places) > count:
        chosen = random.Random(seed).sample(range(len(places)), count)
        places = [places[number] for number in sorted(chosen)]
    known: dict[Path, Outcome] = {}
    for point, place in places:
        if place not in known:
            out = scratch / "run"
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(place, out, symlinks=True)
            known[place] = go_on(album.small, point, out, album.end)
        case = f"{album.small.plugin} {album.small.scenario}, {how}killed {point}"
        yield replace(known[place], case=case)


def go_on(small: Small, point: Point, out: Path, whole: Mapping[str, Any]) -> Outcome:
    """Go on with a run that was killed at `point`, and compare its end with the `whole` one's."""
    kind = f"kill, {small.plugin}"
    case = f"{small.plugin} {small.scenario}, killed {point}"
    wrong = faults_between(out)
    again = judge(kind, case, partial(small.attempt, out), writable=[out], seconds=SECONDS)
    if again.result == "refused":
        return replace(again, result="lost")
    if again.result == "survived":
        wrong += differences(whole, end_of(out))
        if wrong:
            return replace(again, result="differs", said="; ".join([*wrong, again.said])[-2000:])
    return again


def kill(small: Small, out: Path, point: Point) -> int:
    """Train `small` in a child that really dies at `point`; its exit code, that of the kill if it got there."""
    met = 0

    def die(event: Event, half: Callable[[], object] | None) -> None:
        nonlocal met
        if threading.current_thread() is threading.main_thread():
            met += 1
            if met == point.number:
                if point.torn and half is not None:
                    half()
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        _mute()
        try:
            with watched(out, die):
                small.train(out)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _mute() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)


def faults_between(folder: Path) -> list[str]:
    """What is wrong with a run that was killed and is not gone on with yet."""
    run = RunFolder(folder)
    found = ["its status is running"] if run.facts().get("status") == "running" else []
    for path in (run.metrics, run.timings):
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        found += [f"a line of {path.name} is torn" for line in lines if not _is_json(line)]
    return found


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def two_at_once(small: Small, out: Path, point: Point) -> list[Outcome]:
    """While one process trains and has come to `point`, another tries to, in every way there is."""
    reached, go = os.pipe(), os.pipe()
    met = 0

    def wait(event: Event, half: Callable[[], object] | None) -> None:
        nonlocal met
        if threading.current_thread() is threading.main_thread():
            met += 1
            if met == point.number:
                os.write(reached[1], b".")
                os.read(go[0], 1)

    child = os.fork()
    if child == 0:
        _mute()
        code = 1
        try:
            with watched(out, wait):
                small.train(out)
            code = 0
        finally:
            os._exit(code)
    assert os.read(reached[0], 1)
    ways: dict[str, Callable[[], object]] = {"train": partial(small.begin, out)}
    if RunFolder(out).holds_run():
        ways |= {"train --resume": partial(small.begin, out, resume=True), "resume": partial(wganx.resume, out)}
        ways["resume --from 0"] = partial(wganx.resume, out, from_step=0)
    found = []
    for name, way in ways.items():
        before = digest(out)
        outcome = judge("two at once", f"{name}, the other {point}", partial(told, way), writable=[out])
        if outcome.result == "survived":
            outcome = replace(outcome, result="lost", said="it trained there too")
        elif outcome.result == "refused" and digest(out) != before:
            outcome = replace(outcome, result="differs", said=f"it changed the folder; {outcome.said}")
        found.append(outcome)
    os.write(go[1], b".")
    assert os.waitpid(child, 0)[1] == 0
    for end in (*reached, *go):
        os.close(end)
    return found

"""What a training is made of dies or stands still: a process that trains with others, one that reads, a reading thread.

Every rank is a forked child that runs the command as a launcher would start it. One of them is struck at a place of the
training drawn by the seed: killed, or stopped as by SIGSTOP. What counts is what the others say, how soon after the
blow, and that the run goes on afterwards in whatever number of processes.

The silence after which a process counts as lost is shortened here (`SILENCE`), so that a case takes seconds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.reliability.outcome import Outcome, Result, _command, _verdict, end_with, judge
from wganx.batch import SampleFormat
from wganx.data import DecodedItems
from wganx.errors import WganxError

STEPS, SAVED, EVALUATED = 24, 6, 8
SILENCE = 4.0
"""Seconds, where a training has `wganx.engine.pulse.SILENCE`."""
STARTS = 20.0
"""Seconds in which a worker that is spawned must have imported what it needs, on a busy machine."""
PATIENCE = 45.0
"""Seconds in which whoever is left must have said something: starting and ending included, on a busy machine."""
SETTINGS = (
    f"train.steps={STEPS}", "train.batch_size=12", "train.critic_steps=1", "generator.width=8", "critic.width=8",
    "dataset.count=48", "log.every=2", f"checkpoint.every={SAVED}", f"evaluate.every={EVALUATED}", "evaluate.n=16",
    "preview.every=1000", "preview.walk=0", "preview.count=2",
)  # fmt: skip
PLACES = ("at a step", "in a save", "in an evaluation")


@dataclass(frozen=True)
class Blow:
    """What strikes process `victim`: `number` at a place of the training, the first one from step `step` on."""

    victim: int
    number: signal.Signals
    place: str
    step: int
    ends_after: float | None = None

    def __str__(self) -> str:
        end = "" if self.ends_after is None else f", for {self.ends_after:.1f} s"
        return f"{self.number.name} to process {self.victim} {self.place}, from step {self.step} on{end}"


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """`count` cases: of ranks that are killed, stand still for good or a while; of workers and threads that read."""
    kinds = (killed_rank, stalled_rank, killed_rank, paused_rank, struck_worker, killed_rank, stalled_reader)
    for number in range(count):
        draws = random.Random(f"{seed} {number}")
        with tempfile.TemporaryDirectory(prefix="processes-") as folder:
            yield kinds[number % len(kinds)](draws, Path(folder))


def killed_rank(draws: random.Random, folder: Path) -> Outcome:
    """The others say so, at once; the run goes on in any number of processes."""
    return _struck_ranks("rank killed", draws, folder, signal.SIGKILL)


def stalled_rank(draws: random.Random, folder: Path) -> Outcome:
    """The others say so after the silence; so does the stalled one when it comes back."""
    return _struck_ranks("rank stalled", draws, folder, signal.SIGSTOP)


def paused_rank(draws: random.Random, folder: Path) -> Outcome:
    """Shorter than the silence: nothing happens."""
    return _struck_ranks("rank paused", draws, folder, signal.SIGSTOP, ends_after=SILENCE / 4)


def _struck_ranks(
    kind: str, draws: random.Random, folder: Path, number: signal.Signals, ends_after: float | None = None
) -> Outcome:
    count = draws.choice((2, 3))
    blow = Blow(draws.randrange(count), number, draws.choice(PLACES), draws.randint(1, STEPS - 8), ends_after)
    again = draws.choice((1, 2, 3))
    case = f"{count} processes, {blow}, then {again}"
    ended = train_together(folder / "run", count, blow)
    found = _together(kind, case, ended, survive=ends_after is not None)
    if not found.good:
        return found
    return _gone_on(found, folder / "run", again)


def _gone_on(found: Outcome, run: Path, count: int) -> Outcome:
    """That the run ends well in so many processes."""
    ended = train_together(run, count)
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    steps = [json.loads(line).get("step") for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    logged = list(dict.fromkeys(steps))
    if any(each.verdict != "survived" for each in ended):
        return replace(found, result="lost", said="\n".join(each.said for each in ended))
    if facts["status"] != "finished" or facts["step"] != STEPS or logged != list(range(2, STEPS + 1, 2)):
        return replace(found, result="lost", said=f"{facts['status']} at {facts['step']}; logged {logged}")
    return found


@dataclass(frozen=True)
class Ended:
    """How a process ended: the judge's verdict, what it said, and seconds since the blow."""

    verdict: Result
    said: str
    seconds: float
    struck: bool


def _together(kind: str, case: str, ended: Sequence[Ended], *, survive: bool) -> Outcome:
    """One outcome of all that were not struck, and of the one that was and came back."""
    judged = [each for each in ended if not (each.struck and each.verdict == "memory")]  # killed, as meant
    seconds = max(each.seconds for each in judged)
    said = "\n".join(f"{'struck: ' * each.struck}{each.said.strip()[-600:]}" for each in judged)
    bad = [each.verdict for each in judged if each.verdict not in ("refused", "survived")]
    if bad:
        return Outcome(kind, bad[0], seconds, case, said)
    if survive:
        lost = any(each.verdict != "survived" for each in judged)
        return Outcome(kind, "lost" if lost else "survived", seconds, case, said)
    silent = [each for each in judged if not each.struck and "wganx: " not in each.said]
    return Outcome(kind, "lost" if silent else "refused", seconds, case, said)


def train_together(run: Path, count: int, blow: Blow | None = None) -> list[Ended]:
    """``wganx train --resume`` in `count` processes, one of them struck; it is an error to end before the blow."""
    main = _command()
    import_module("ot")  # the evaluation's, once before the forks
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["train", "--plugin", "points", "--out", str(run), "--resume"]
    for setting in SETTINGS:
        arguments += ["--set", setting]
    mark = run.with_name("struck")
    mark.unlink(missing_ok=True)

    def rank(number: int) -> int:
        os.environ.update(
            RANK=str(number), WORLD_SIZE=str(count), LOCAL_RANK=str(number), MASTER_ADDR="127.0.0.1",
            MASTER_PORT=str(port), CUDA_VISIBLE_DEVICES="",
        )  # fmt: skip
        _shorten(PATIENCE)
        if blow is not None and blow.victim == number:
            _prepare(blow, mark)
        main(args=arguments, prog_name="wganx")
        return 0

    children = {
        _started(lambda number=number: rank(number), run.with_name(f"said-{number}")): number
        for number in range(count)
    }  # fmt: skip
    return _watched(children, run, mark, blow)


def _watched(children: Mapping[int, int], run: Path, mark: Path, blow: Blow | None) -> list[Ended]:
    """How each child ended; who says nothing for too long is ended, and counts as hanging."""
    victim = None if blow is None else next(child for child, number in children.items() if number == blow.victim)
    stops = blow is not None and blow.number == signal.SIGSTOP
    begun, struck_at, woken = time.monotonic(), None, False
    ended: dict[int, tuple[int | None, float]] = {}
    while left := children.keys() - ended.keys():
        time.sleep(0.01)
        now = time.monotonic()
        for child in left:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                ended[child] = status, now
        if struck_at is None and mark.exists():
            struck_at = now
        if stops and struck_at is not None and not woken:
            # Those who wait are judged first; then the one that stood still comes back, and is judged as well.
            pause = blow.ends_after if blow is not None else None
            if (now - struck_at > pause) if pause is not None else (left <= {victim}):
                os.kill(victim or 0, signal.SIGCONT)
                woken = True
        if now - (begun if struck_at is None else struck_at) > PATIENCE * (3 if struck_at is None else 1):
            for child in left - ended.keys():
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                ended[child] = None, now
    found = []
    for child, (status, at) in ended.items():
        said = run.with_name(f"said-{children[child]}").read_text("utf-8", "replace")
        if blow is not None and struck_at is None:
            raise AssertionError(f"ended before it was struck:\n{said}")
        found.append(Ended(_verdict(status, said), said, at - (struck_at or begun), child == victim))
    return found


def _started(work: Callable[[], int], out: Path) -> int:
    """A forked child that does `work` and says all it says to the file `out`; its process number."""
    out.parent.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        silence = os.open(os.devnull, os.O_RDONLY)
        for here, there in ((silence, 0), (file, 1), (file, 2)):
            os.dup2(here, there)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", buffering=1) for number in (1, 2))
    except BaseException:
        os._exit(1)
    return end_with(work)


def _shorten(reading: float) -> None:
    """Times of which a training has minutes, so that a case takes seconds."""
    from wganx.data import patience
    from wganx.engine import pulse

    pulse.SILENCE, pulse.AWAY, pulse.BEAT = SILENCE, 2 * SILENCE, SILENCE / 16
    patience.LONGEST, patience.TELL = reading, reading / 2


def _prepare(blow: Blow, mark: Path) -> None:
    """Have the blow fall on this process."""
    from wganx.engine import CheckpointStore
    from wganx.engine.training import Training
    from wganx.runs import Run

    reached = 0

    def strike() -> None:
        if reached >= blow.step and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), blow.number)

    def before(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def struck(self: Any, *given: Any, **named: Any) -> Any:
            strike()
            return original(self, *given, **named)

        setattr(owner, name, struck)

    advance = Training.advance

    def counted(self: Any, *given: Any, **named: Any) -> None:
        nonlocal reached
        advance(self, *given, **named)
        reached = self.step
        due = {"in a save": SAVED, "in an evaluation": EVALUATED}.get(blow.place)
        # Who is not the first neither writes nor evaluates: it is struck while the first does.
        if due is None or (blow.victim and self.step % due == 0):
            strike()

    Training.advance = counted  # type: ignore[method-assign]
    if blow.victim == 0 and blow.place == "in a save":
        save, sync = CheckpointStore.save, os.fsync

        def saved(self: Any, *given: Any, **named: Any) -> Any:
            os.fsync = lambda descriptor: (strike(), sync(descriptor))[1]
            try:
                return save(self, *given, **named)
            finally:
                os.fsync = sync

        CheckpointStore.save = saved  # type: ignore[method-assign]
    elif blow.victim == 0 and blow.place == "in an evaluation":
        before(Run, "measure")


def struck_worker(draws: random.Random, folder: Path) -> Outcome:
    """A process that reads dies, or stands still, anywhere in a training: one line, and the run goes on."""
    number = draws.choice((signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP, signal.SIGTERM))
    step = draws.randint(1, STEPS - 8)
    pictures, run = folder / "pictures", folder / "run"
    pictures.mkdir()
    grey = np.random.default_rng(draws.randrange(1 << 32))
    for index in range(24):
        Image.fromarray(grey.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(pictures / f"{index:02d}.png")
    mark = folder / "struck"
    main = _command()
    settings = (f"train.steps={STEPS}", "train.batch_size=4", "dataset.feed=stream", f"checkpoint.every={SAVED}",
                "preview.walk=0", "log.every=2", "evaluate.every=0")  # fmt: skip
    arguments = ["train", "--plugin", "image", "--scenario", "faces-tiny", "--data", str(pictures), "--out", str(run)]
    for setting in settings:
        arguments += ["--set", setting]

    def strike(training: Any) -> None:
        if training.step >= step and not mark.exists():
            worker = draws.choice(multiprocessing.active_children())
            mark.touch()
            os.kill(worker.pid or 0, number)

    def work() -> int:
        from wganx.engine.training import Training

        _shorten(STARTS)
        advance = Training.advance

        def counted(self: Any, *given: Any, **named: Any) -> None:
            advance(self, *given, **named)
            strike(self)
            time.sleep(draws.random() * 0.05)

        Training.advance = counted  # type: ignore[method-assign]
        try:
            main(args=[*arguments, "--set", "dataset.workers=2"], prog_name="wganx")
        finally:
            if mark.exists():
                print(f"ended after {time.time() - mark.stat().st_mtime:.1f} s")
        return 0

    case = f"{number.name} to one of 2 workers, from step {step} on"
    kind = "loader worker stalled" if number == signal.SIGSTOP else "loader worker killed"
    writable = [folder, Path(tempfile.gettempdir())]  # torch keeps a cache there
    found = judge(kind, case, work, writable=writable, seconds=3 * PATIENCE)
    found = _timed(found)
    if not found.good or found.result == "survived":  # what a worker had sent already may have been enough
        return found

    def resume() -> int:
        main(args=["resume", str(run), "--set", "dataset.workers=0"], prog_name="wganx")
        return 0

    with_none = judge(kind, f"{case}, then 0 workers", resume, writable=writable, seconds=3 * PATIENCE)
    return found if with_none.result == "survived" else replace(found, result="lost", said=with_none.said)


def _timed(found: Outcome) -> Outcome:
    """With the seconds from the blow to its end, where the case tells them."""
    told = re.findall(r"^ended after ([0-9.]+) s$", found.said, re.MULTILINE)
    return replace(found, seconds=float(told[-1])) if told else found


class Slow(DecodedItems):
    """Items of which one, when it is first asked for in a training, takes a while, for ever or not, or ends badly."""

    def __init__(self, at: int, harm: Callable[[], None]) -> None:
        super().__init__({"sample": SampleFormat(axes=("value",), shape=(2,))}, root=Path("slow"), recipe=(type(self),))
        self.left, self.harm = at, harm

    def __len__(self) -> int:
        return 40

    def name(self, index: int) -> str:
        return f"item {index}"

    def decode_item(self, index: int) -> Mapping[str, torch.Tensor]:
        self.left -= 1
        if not self.left:
            self.harm()
        return {"sample": torch.full((2,), float(index))}


def stalled_reader(draws: random.Random, folder: Path) -> Outcome:
    """The thread that reads gets no answer, as from a mount that is gone, or ends by something that is no error."""

    def exits() -> None:
        raise SystemExit(3)

    harms: dict[str, Callable[[], None]] = {
        "for ever": lambda: time.sleep(1000), "for a while": lambda: time.sleep(SILENCE * 0.75), "and exits": exits,
    }  # fmt: skip
    how, at = draws.choice(sorted(harms)), draws.randint(2, 200)
    case = f"the {at}th item stands still {how}"

    def work() -> int:
        from wganx.data import StreamFeed

        _shorten(SILENCE)
        feed = StreamFeed(Slow(at, harms[how]), batch_size=4, seed=0, device="cpu")
        begun = time.monotonic()
        try:
            for _ in range(60):
                begun = time.monotonic()
                feed.next()
        except WganxError as error:
            print(f"wganx: {error}\nended after {time.monotonic() - begun:.1f} s")
            return error.exit_code
        return 0

    found = judge("reader stalled", case, work, writable=[folder], seconds=PATIENCE)
    found = _timed(found)
    meant = "survived" if how == "for a while" else "refused"
    return found if not found.good or found.result == meant else replace(found, result="lost")

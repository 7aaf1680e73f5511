"""The processes that train one pair of networks together."""

from __future__ import annotations

import atexit
import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count as numbers
from types import FunctionType
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from wganx import process
from wganx.engine import pulse
from wganx.engine.pulse import Pulse
from wganx.errors import ProcessLost, TrainingDiverged, UsageError

T = TypeVar("T")

# Machines start at different times; but connections that never come about must end, so that a launcher tries again.
_MEETING = timedelta(minutes=3)
# The first rank evaluates and writes while the others wait for it, on GPUs inside of NCCL: a shorter limit there would
# not tell who is lost from who is busy. The pulse does, whatever carries the tensors.
_WORKING = timedelta(hours=1)
_meetings = numbers()  # every process trains as often as the others: their numbers agree


# Each of these functions keeps the group there is when it is defined, as a default, and torch imports them with the
# first optimizer: the group would outlive its end, and gloo's threads meet an interpreter that is gone ("terminate
# called without an active exception"). Imported here, before `join`, they keep none; a group of the caller's is let go.
if dist.is_available():  # a torch may be built without
    import torch.distributed.nn.functional as differentiable

    for _each in vars(differentiable).values():
        if isinstance(_each, FunctionType) and _each.__defaults__:
            _each.__defaults__ = tuple(None if isinstance(it, dist.ProcessGroup) else it for it in _each.__defaults__)


class FirstRankFailed(TrainingDiverged):
    """The first rank failed, and says so; this one can only end too."""

    told_elsewhere = True


class Ranks:
    """This process, number `number` of the `count` that train together; one process alone is rank 0 of 1.

    Every rank is handed the same batches and computes the rows that `rows` gives it. Gradients are summed over the
    ranks in one operation an update, so that all take the same steps. What is written or shown is the business of the
    first rank. The methods marked *together* must be called by every rank at the same place.

    `restarted` says that a launcher started the ranks again, after one had ended before its time.

    Not DistributedDataParallel: that hooks into the first backward pass, and a gradient penalty has two.
    """

    def __init__(self, number: int = 0, count: int = 1, *, restarted: bool = False) -> None:
        self.number = number
        self.count = count
        self.restarted = restarted
        self._asked: tuple[Tensor, dist.Work] | None = None
        self._pulse: Pulse | None = None

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes and speaks."""
        return self.number == 0

    def rows(self, total: int, number: int | None = None) -> slice:
        """The rows of rank `number` (this one's by default) of a batch of `total`; shares differ by at most one row.

        Raises:
            UsageError: there are fewer rows than ranks.
        """
        if total < self.count:
            raise UsageError(f"a batch of {total} cannot be shared by {self.count} processes; raise the batch size")
        number = self.number if number is None else number
        return slice(total * number // self.count, total * (number + 1) // self.count)

    def sum_(self, tensor: Tensor) -> Tensor:
        """`tensor` becomes its sum over the ranks; together."""
        if self.count > 1:
            self._all(tensor, lambda wait: dist.all_reduce(tensor, async_op=wait))
        return tensor

    def copy_from_first(self, tensors: Iterable[Tensor]) -> None:
        """Every tensor becomes the first rank's; together."""
        if self.count > 1:
            for tensor in tensors:
                whole = tensor.detach().contiguous()
                self._from_first(whole)
                tensor.detach().copy_(whole)

    def from_first(self, work: Callable[[], T]) -> T:
        """What `work` returns on the first rank, which alone does it; together.

        Raises:
            Exception: whatever `work` raises; on the other ranks a `FirstRankFailed` that quotes it.
        """
        if self.count == 1:
            return work()
        outcome: list[object] = [None, None]
        failure: Exception | None = None
        if self.first:
            try:
                outcome[0] = work()
            except Exception as error:
                failure, outcome[1] = error, f"{type(error).__name__}: {error}"
        outcome = self._told(outcome)
        if failure is not None:
            raise failure
        if outcome[1] is not None:
            raise FirstRankFailed(f"the first process failed: {outcome[1]}")
        return outcome[0]  # type: ignore[return-value]

    def check_alike(self, what: str, tensors: Iterable[Tensor]) -> None:
        """Compares a checksum of `tensors` over the ranks; together.

        Raises:
            TrainingDiverged: the ranks no longer hold the same values.
        """
        if self.count == 1:
            return
        own = torch.stack([tensor.detach().double().sum() for tensor in tensors]).nan_to_num().cpu()
        sums = [torch.empty_like(own) for _ in range(self.count)]
        self._all(own, lambda wait: dist.all_gather(sums, own, async_op=wait))
        differing = [number for number, other in enumerate(sums) if not torch.equal(other, sums[0])]
        if differing:
            raise TrainingDiverged(
                f"WX060 {what} of process {', '.join(map(str, differing))} differ from those of process 0; something "
                "draws or computes differently there: give every process the same data, seed and versions"
            )

    def any_soon(self, flag: bool) -> bool:
        """Whether `flag` was true on any rank; together.

        Among several ranks the answer is that of the call before this one: the question travels while the next step
        is computed, and nobody waits for it.
        """
        if self.count == 1:
            return flag
        said = torch.tensor([int(flag)])
        before, self._asked = self._asked, (said, dist.all_reduce(said, dist.ReduceOp.MAX, async_op=True))
        if before is None:
            return False
        self._wait(before[1])
        return bool(before[0].item())

    def settle(self) -> None:
        """Wait for a question that is still on its way; together."""
        if self._asked is not None:
            self._wait(self._asked[1])
            self._asked = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, each rank shows the others that it lives, and misses them; together.

        Raises:
            ProcessLost: another rank ended, or shows no sign of life; out of whatever waits for it.
        """
        if self.count == 1:
            yield
            return
        store: Any = dist.distributed_c10d._get_default_store()
        with suppress(RuntimeError, NotImplementedError):  # a connection of its own, where the store has such
            store = store.clone()
        self._asked, self._pulse = None, Pulse(self.number, self.count, store, str(next(_meetings)))
        why = ""
        try:
            yield
        except ProcessLost:  # who was lost is the cause, and each finds that by itself
            raise
        except BaseException as error:
            why = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._pulse.end(why)
            self._pulse = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Inside, this rank does alone what may take long."""
        if self._pulse is not None:
            self._pulse.away(True)
        try:
            yield
        finally:
            if self._pulse is not None:
                self._pulse.away(False)

    def _told(self, said: list[object]) -> list[object]:
        """What the first rank says; together."""
        spoken = torch.frombuffer(bytearray(pickle.dumps(said)), dtype=torch.uint8)
        length = torch.tensor([len(spoken)])
        self._from_first(length)
        heard = spoken if self.first else torch.empty(int(length), dtype=torch.uint8)
        self._from_first(heard)
        found: list[object] = pickle.loads(heard.numpy().tobytes())
        return found

    def _from_first(self, tensor: Tensor) -> None:
        self._all(tensor, lambda wait: dist.broadcast(tensor, src=0, async_op=wait))

    def _all(self, tensor: Tensor, work: Callable[[bool], dist.Work | None]) -> None:
        """What all ranks do at once. On a GPU it is only queued, and nothing waits here."""
        try:
            if tensor.is_cuda:
                if self._pulse is not None:
                    self._pulse.queued = True
                    self._pulse.moved()
                work(False)
                return
            begun = work(True)
        except RuntimeError as error:
            raise self._lost(error) from error
        assert begun is not None
        self._wait(begun)

    def _wait(self, work: dist.Work) -> None:
        begun = time.monotonic()
        while True:
            if self._pulse is not None:
                self._pulse.moved()
            try:
                work.wait(timedelta(seconds=pulse.BEAT))
                return
            except RuntimeError as error:
                if work.is_completed():
                    self._finish(work)
                    return
                if self._pulse is not None and self._pulse.missing():
                    raise self._lost(error) from error
                if time.monotonic() - begun > _WORKING.total_seconds():
                    raise self._lost(error) from error

    def _finish(self, work: dist.Work) -> None:
        """Of what is over: how it ended."""
        try:
            work.wait()
        except RuntimeError as error:
            raise self._lost(error) from error

    def _lost(self, error: RuntimeError) -> ProcessLost:
        own = self._pulse
        reason = str(error).strip().partition("\n")[0].rpartition("] ")[2] or str(error).partition("\n")[0]
        what = "" if own is None else own.missing() or own.look()
        what = what or f"another of the {self.count} processes is gone"
        cause = "" if own is not None and (own.told or what != own.lost or " for " in what) else f" ({reason})"
        lost = ProcessLost(f"{what}{cause}; the others end with it: start all again with --resume")
        lost.told_elsewhere = own is not None and own.told
        return lost


_joined: list[Ranks] = []


def join() -> Ranks:
    """The ranks that a launcher started (torchrun, or anything that sets ``RANK`` and ``WORLD_SIZE``); else one alone.

    A process group that exists already is taken as it is. Otherwise gloo carries what lies in main memory and NCCL
    what lies on a GPU.

    Raises:
        UsageError: the launcher's environment is not complete, or the ranks cannot find each other.
    """
    if _joined:
        return _joined[0]
    if dist.is_available() and dist.is_initialized():
        return Ranks(dist.get_rank(), dist.get_world_size())
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Ranks()
    if not dist.is_available():
        raise UsageError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but this torch is built for one process; unset WORLD_SIZE"
        )
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    # Windows has no NCCL; gloo carries what lies on a GPU as well, by way of main memory.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    try:
        if os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"]:
            # torchrun's store outlives its processes: those of an attempt must not meet at the addresses of the last.
            store, number, count = next(rendezvous("env://", timeout=_MEETING))
            store = PrefixStore(f"attempt-{attempt}", store)
            dist.init_process_group(backend, store=store, rank=number, world_size=count, timeout=_MEETING)
        else:  # over several machines the attempts are not counted alike
            dist.init_process_group(backend, timeout=_MEETING)
        dist.distributed_c10d._set_pg_timeout(_WORKING)
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but the processes cannot be joined: "
            f"{str(error).splitlines()[0]}; start them with torchrun, or unset WORLD_SIZE"
        ) from error
    atexit.register(dist.destroy_process_group)
    restarted = torch.tensor([int(attempt)])
    dist.all_reduce(restarted, dist.ReduceOp.MAX)
    process.share()
    _joined.append(Ranks(dist.get_rank(), dist.get_world_size(), restarted=bool(restarted.item())))
    return _joined[0]


def local_number() -> int:
    """Number of this rank on its machine, which is the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))

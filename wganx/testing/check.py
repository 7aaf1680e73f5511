"""What a check is, how it fails, and the book of all checks."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from wganx.errors import PluginFailed, WganxError
from wganx.plugins.guard import one_line

Function = Callable[[Any, Any], str | None]
"""``(part, bench)``, a descriptor and a `Bench`: passes, or raises `ConformanceError` or `NotChecked`; returns a
remark, or None for none."""


class ConformanceError(AssertionError):
    """A plugin does not keep the contract; one line that says what was checked, on what, what was seen, and the mend.

    Attributes:
        check: ``group/name`` of the check.
        subject: the part it was made on.
        seen: what was found.
        mend: what the author does about it.
    """

    def __init__(self, check: str, subject: str, seen: str, mend: str) -> None:
        super().__init__(f"{check} of {subject}: {seen}; {mend}")
        self.check, self.subject, self.seen, self.mend = check, subject, seen, mend


class NotChecked(Exception):
    """There was nothing to make a check on; says why."""


class _Fault(Exception):
    def __init__(self, seen: str, mend: str) -> None:
        super().__init__(seen)
        self.seen, self.mend = seen, mend


@dataclass(frozen=True)
class Rule:
    """A check before it meets a part.

    Attributes:
        group: the kind of part it is for: ``plugin``, ``dataset``, ``generator``, ...; ``part`` for every kind.
        name: the property it looks at.
        function: what is called.
        about: the property in one sentence.
        trains: whether it takes seconds, because it trains.
    """

    group: str
    name: str
    function: Function
    about: str
    trains: bool


BOOK: list[Rule] = []
"""Every check, in the order in which they are made."""


def check(*groups: str, name: str, mend: str, trains: bool = False) -> Callable[[Function], Function]:
    """Enter a function ``(part, bench)`` into the book.

    Called on its own or through `wganx.testing.iter_checks`, it raises `ConformanceError`, whatever the plugin raised.

    Args:
        groups: the kinds of part it is for.
        name: of the property.
        mend: what the author does when the plugin's own code raises; faults that are found bring their own.
    """

    def enter(function: Function) -> Function:
        def named(group: str) -> Function:
            @functools.wraps(function)
            def checked(part: Any, bench: Any) -> str | None:
                own = group if group != "part" else group_of(part)
                whole, subject = f"{own}/{name}", _in_words(part)
                try:
                    return function(part, bench)
                except (ConformanceError, NotChecked):
                    raise
                except _Fault as fault:
                    raise ConformanceError(whole, subject, fault.seen, fault.mend) from None
                except (Exception, SystemExit) as error:
                    if isinstance(error.__cause__, _Fault):  # found inside the guard around the plugin's code
                        raise ConformanceError(whole, subject, error.__cause__.seen, error.__cause__.mend) from None
                    raise ConformanceError(whole, subject, _seen(error), mend) from error

            return checked

        for group in groups:
            about = " ".join((function.__doc__ or "").split("\n\n")[0].split())
            BOOK.append(Rule(group, name, named(group), about, trains))
        return named(groups[0])

    return enter


def fail(seen: str, mend: str) -> NoReturn:
    """End the check that calls this: what was seen, and how it is mended."""
    raise _Fault(" ".join(seen.split()), mend)


def group_of(part: Any) -> str:
    """The group whose checks are for a part: its kind, ``health-check`` for a health check."""
    return str(getattr(part, "kind", "plugin")).replace(" ", "-")


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names in one line, the rest counted."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@contextmanager
def streams_unmoved(what: str) -> Iterator[None]:
    """Inside, whatever draws from, or seeds, a stream that belongs to nobody is found out, and the streams put back."""
    import numpy as np
    import torch

    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        # From a place where no seed leads, so that seeding is noticed even where it was done before.
        torch.manual_seed(0x5EED0FA11)
        np.random.seed(0x5EED0FA)
        random.seed(0x5EED0FA11)
        torch.rand(3), np.random.random(3), random.random()
        before = _states()
        yield
        moved = [name for name, state in _states().items() if state != before[name]]
        if moved:
            fail(
                f"{what} moved {' and '.join(moved)} global random stream",
                "draw from a generator of your own, torch.Generator().manual_seed(...), and seed no global stream",
            )
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])
        random.setstate(kept[2])


def _states() -> dict[str, object]:
    import numpy as np
    import torch

    _, keys, place, *_ = np.random.get_state()
    return {
        "torch's": torch.get_rng_state().numpy().tobytes(),
        "numpy's": (np.asarray(keys).tobytes(), place),
        "Python's": random.getstate(),
    }


def _seen(error: BaseException) -> str:
    """What was raised, without whose it is, which stands before it."""
    if isinstance(error, PluginFailed) and error.__cause__ is not None:
        return f"raised {one_line(error.__cause__)}"
    return " ".join(str(error).split()) if isinstance(error, WganxError) else f"raised {one_line(error)}"


def _in_words(part: Any) -> str:
    if isinstance(part, str):
        return part
    if hasattr(part, "found"):
        return f"plugin {part.found.name!r}"
    if hasattr(part, "source") and hasattr(part, "target"):
        return f"plugin {part.name!r}"
    return str(part)

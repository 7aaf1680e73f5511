"""Stopping on request: Ctrl-C, SIGTERM, what batch systems warn by and a closed terminal finish the step and save."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_HANGUP: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
_ASKING = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGBREAK", None)])]  # Ctrl-Break on Windows

_WARNING = [number for name in ("SIGUSR1", "SIGUSR2", "SIGXCPU") if (number := getattr(signal, name, None)) is not None]
"""What batch systems send before the time is up (Slurm's ``--signal``, submitit, Grid Engine's ``-notify``); it ends a
process at once where nobody handles it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or the stop button of a notebook, ended a training in a cell, with its step finished and all saved.

    There it is raised where a script's call returns, so that the cells below are not run as if it had ended.

    Attributes:
        result: what the call would have returned, with ``status`` ``interrupted``.
    """

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result

    def _render_traceback_(self) -> list[str]:
        """One line in a notebook: what was stopped is known to whoever stopped it."""
        return [f"Interrupted: {self}"]


class StopRequest:
    """Inside the ``with`` block the first Ctrl-C or SIGTERM only sets `requested`; a second one interrupts at once.

    A terminal that closes (SIGHUP) tells its processes more than once, and only ever asks; under ``nohup`` nothing. So
    do the signals by which batch systems warn, unless somebody else handles them.

    Not so with `patient`: a launcher of several processes repeats to each of them what the terminal sent to all.

    Outside the main thread, where Python takes no signals, it does nothing.

    Attributes:
        by_keyboard: whether it was Ctrl-C that asked.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self.requested = False
        self.by_keyboard = False
        self._patient = patient
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in _ASKING:
                self._before[number] = signal.signal(number, self._request)
            if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
                self._before[_HANGUP] = signal.signal(_HANGUP, self._request)
            for number in _WARNING:
                if signal.getsignal(number) is signal.SIG_DFL:
                    self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested and not self._patient and number not in (_HANGUP, *_WARNING):
            raise KeyboardInterrupt
        self.requested = True
        self.by_keyboard |= number == signal.SIGINT

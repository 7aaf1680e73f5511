"""Stopping on request: Ctrl-C, SIGTERM and a closed terminal finish the step, save, and end."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_HANGUP: int | None = getattr(signal, "SIGHUP", None)  # Windows has none


class StopRequest:
    """Inside the ``with`` block the first Ctrl-C or SIGTERM only sets `requested`; a second one interrupts at once.

    A terminal that closes (SIGHUP) tells its processes more than once, and only ever asks; under ``nohup`` nothing.

    Not so with `patient`: a launcher of several processes repeats to each of them what the terminal sent to all.

    Outside the main thread, where Python takes no signals, it does nothing.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self.requested = False
        self._patient = patient
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._request)
            if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
                self._before[_HANGUP] = signal.signal(_HANGUP, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested and not self._patient and number != _HANGUP:
            raise KeyboardInterrupt
        self.requested = True

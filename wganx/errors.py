"""What can go wrong, by whose doing: every error wganx raises on purpose descends from `WganxError`.

A message says what was wrong, where, and the mend. The command line prints it as it stands, without a traceback, and
exits with the class's `exit_code`: 2 when the call was wrong, 1 when the call was right and the work failed. A training
that was stopped before its last step is no error, and not done either: `INTERRUPTED`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches

INTERRUPTED = 3
"""Exit code of a command whose training was stopped before its last step; ``wganx resume`` goes on."""


class WganxError(Exception):
    """Base of all errors raised on purpose; the work failed (exit code 1)."""

    exit_code = 1
    told_elsewhere = False
    """Whether another process has said it already."""


class UsageError(WganxError):
    """The call was wrong: nothing was started (exit code 2)."""

    exit_code = 2


class PluginError(UsageError):
    """A plugin cannot be found, loaded or used; names the plugin, its distribution and the cause."""


class PluginFailed(WganxError):
    """A plugin's code failed while it worked; names the plugin, its distribution, the part and the cause."""


class ConfigError(UsageError):
    """The configuration is wrong; lists every problem with where its value came from."""


class DataError(UsageError):
    """The data is missing, empty or unreadable; names the path."""


class NoAnswer(DataError):
    """The data was there, and gives no answer any more: no bytes and no error (exit code 1)."""

    exit_code = 1


class PreflightError(UsageError):
    """A network or a constraint cannot be trained as given; found before the first step."""


class CheckpointError(WganxError):
    """A checkpoint is missing, damaged or does not fit the networks."""


class TrainingDiverged(WganxError):
    """A loss or gradient stayed non-finite after the one roll-back a run is granted."""


class ProcessLost(WganxError):
    """Of the processes that train together one was killed, failed or stands still; the others can only end."""


class MissingExtra(WganxError):
    """An optional dependency is not installed; the message holds the pip command that installs it."""


class Unavailable(WganxError):
    """What a metric needs is not there, or not to be trusted; the evaluation skips it, and says so."""


class TooFewRows(DataError, Unavailable):
    """A metric needs more rows than there are."""


def did_you_mean(word: str, offered: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the offered name closest to `word`, or nothing when none is close."""
    if len(word) > 200:  # nobody types that, and comparing takes the square of it
        return ""
    close = get_close_matches(word, list(offered), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


_GONE = ("ENOENT", "ENOTDIR", "ESTALE", "ENOTCONN", "ENODEV", "ENXIO", "EHOSTDOWN", "ETIMEDOUT")
_MENDS = tuple(
    (frozenset(getattr(errno, name) for name in reasons if hasattr(errno, name)), mend)
    for reasons, mend in (
        (("ENOSPC", "EDQUOT", "EFBIG"), "make room on that disk"),
        (_GONE, "bring that folder, or the disk it is on, back"),
        (("ELOOP",), "put a file of its own in the link's place"),
        (("EROFS",), "that disk is read-only, make it writable"),
        (("EACCES", "EPERM"), "see to the rights of that folder"),
        (("EMFILE", "ENFILE"), "close other files, or allow more with ulimit -n"),
    )
)
"""By what the system says; not every system says all."""


def way_out(error: BaseException | None) -> str:
    """What mends it that something could not be written, by the system's reason."""
    reason = error.errno if isinstance(error, OSError) else None
    return next((mend for reasons, mend in _MENDS if reason in reasons), "see to that disk")

"""How long a training waits for data: files on a mount that is gone give no answer, and no error either."""

TELL = 60.0
"""Seconds without an answer after which that is said."""
LONGEST = 600.0
"""Seconds without one after which the training ends, to be gone on with once the files answer again."""

_NO_BATCH = "no batch came"


def waiting(what: str = _NO_BATCH) -> str:
    """What to say in the meantime."""
    return f"waiting for data: {what} for {TELL:.0f} s; a file may not answer"


def no_answer(seconds: float, what: str = _NO_BATCH) -> str:
    """What to say at the end of it."""
    return (
        f"{what} for {seconds:.0f} s: a file does not answer (a mount that is gone, a disk that fails), or one "
        "item takes that long; see that the data can be read, then resume"
    )

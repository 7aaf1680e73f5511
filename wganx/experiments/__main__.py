"""``python -m wganx.experiments ERRAND``: the process that is sent on an errand; not for people."""

from __future__ import annotations

import os
import sys
import threading
import traceback

from wganx.errors import INTERRUPTED, WganxError
from wganx.experiments.carrying_out import Stopped, carry_out
from wganx.experiments.errand import from_text
from wganx.names import visible


def main(text: str) -> int:
    """Carry out an errand; the exit code says how it ended, and standard error why."""
    stop = Stopped()
    threading.Thread(target=_await_the_end, args=(stop,), daemon=True).start()
    try:
        return 0 if carry_out(from_text(text), stop) else INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except (WganxError, OSError) as error:
        print(f"wganx: {visible(str(error))}", file=sys.stderr)
        return error.exit_code if isinstance(error, WganxError) else 1
    except Exception:
        traceback.print_exc()
        return 1


def _await_the_end(stop: Stopped) -> None:
    """Whoever sent this process holds the other end of its standard input, and closes it to stop it or by dying."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.ask()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

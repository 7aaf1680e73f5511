"""Visitors of `wganx demo` who all ask at once: how long each waits, and whether each gets what its seed gives.

    python benchmarks/demo_visitors.py RUN
    python benchmarks/demo_visitors.py RUN --visitors 20 --count 64

A table of the visitors in the order in which they were let in: how many were before each of them, the seconds until the
answer, and whether the file that is taken away is byte for byte that of a visitor who comes alone. Exits with 1 where
one of them is not.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import wganx
from wganx.demo.running import demo_of
from wganx.demo.serving import serving
from wganx.tables import Table


@dataclass
class Answer:
    """What a visitor got.

    Attributes:
        before: visitors who were before it when it first looked.
        seconds: from asking to the answer.
    """

    seed: int
    before: int
    seconds: float
    content: bytes


def ask(port: int, path: str, method: str = "GET") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, b"" if method == "POST" else None)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 400:
        raise SystemExit(f"{path}: {answer.status} {content.decode()}")
    return content


def visit(port: int, seed: int, count: int, together: Barrier | None = None) -> Answer:
    if together is not None:
        together.wait()
    begun = time.perf_counter()
    token = ask(port, f"/jobs?do=draw&count={count}&seed={seed}", "POST").decode()
    known, before = "", -1
    while True:
        told = json.loads(ask(port, f"/jobs/{token}?known={known}"))
        before = told["before"] if before < 0 else before
        known = told["known"]
        if told["state"] == "failed":
            raise SystemExit(told["message"])
        if told["state"] == "done":
            break
    seconds = time.perf_counter() - begun
    return Answer(seed, before, seconds, ask(port, f"/jobs/{token}/file"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("run", type=Path)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--count", type=int, default=16, help="samples for each")
    chosen = parser.parse_args()
    with demo_of(wganx.load_run(chosen.run)) as demo, serving(demo) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        visit(port, 0, chosen.count)  # whatever is slow the first time
        alone = [visit(port, seed, chosen.count) for seed in range(chosen.visitors)]
        together = Barrier(chosen.visitors)
        with ThreadPoolExecutor(chosen.visitors) as pool:
            waiting = [pool.submit(visit, port, seed, chosen.count, together) for seed in range(chosen.visitors)]
            answers = sorted((each.result() for each in waiting), key=lambda answer: answer.before)
    right = [answer.content == alone[answer.seed].content for answer in answers]
    rows = [
        (str(answer.seed), str(answer.before), f"{answer.seconds:.2f}", "yes" if well else "NO")
        for answer, well in zip(answers, right)
    ]
    mean = sum(answer.seconds for answer in alone) / len(alone)
    title = f"{chosen.visitors} visitors at once, {chosen.count} samples each; one alone waits {mean:.2f} s"
    print(Table(title, ("seed", "before it", "seconds", "right"), rows).text())
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())

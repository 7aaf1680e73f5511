"""How much memory is told to be free, and that a command is refused more than that instead of being ended."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from wganx import memory

GB = 2**30
_GPU = any(driver.exists() for driver in memory._DRIVERS)
on_linux_alone = pytest.mark.skipif(sys.platform != "linux" or _GPU, reason="only done on Linux without a GPU's driver")


class Machine:
    """Files of a made-up system."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setattr(memory, "_PROC", folder / "proc")
        monkeypatch.setattr(memory, "_CGROUPS", folder / "cgroup")
        monkeypatch.setattr(memory, "_free_of_this_process", lambda: -1)
        self.write("proc/meminfo", f"MemTotal: 99 kB\nMemAvailable:   {16 * GB // 1024} kB\nSwapFree: 0 kB\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")

    def group(self, path: str, most: str, taken: int, unused: int = 0) -> None:
        self.write(f"{path}/memory.max", f"{most}\n")
        self.write(f"{path}/memory.current", f"{taken}\n")
        self.write(f"{path}/memory.stat", f"anon 5\ninactive_file {unused}\n")

    def old_group(self, path: str, most: int, taken: int, unused: int = 0) -> None:
        self.write(f"{path}/memory.limit_in_bytes", f"{most}\n")
        self.write(f"{path}/memory.usage_in_bytes", f"{taken}\n")
        self.write(f"{path}/memory.stat", f"inactive_file 7\ntotal_inactive_file {unused}\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_machine_without_groups(machine: Machine) -> None:
    assert memory.available_memory() == 16 * GB


def test_swap_counts_where_it_is_asked_for_and_no_more_than_a_container_has(machine: Machine) -> None:
    machine.write("proc/meminfo", f"MemAvailable: {16 * GB // 1024} kB\nSwapFree: {2 * GB // 1024} kB\n")
    assert (memory.available_memory(), memory.available_memory(swap=True)) == (16 * GB, 18 * GB)
    machine.write("proc/self/cgroup", "0::/\n")
    machine.group("cgroup", str(4 * GB), 3 * GB)
    assert memory.available_memory(swap=True) == GB


def test_a_container_leaves_what_is_not_taken_of_its_limit(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/\n")
    machine.group("cgroup", str(4 * GB), 3 * GB, unused=GB // 2)
    assert memory.available_memory() == 3 * GB // 2


def test_a_group_without_a_limit_leaves_all(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/user\n")
    machine.group("cgroup/user", "max", 3 * GB)
    assert memory.available_memory() == 16 * GB


def test_a_job_is_bound_by_every_group_above_it(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/slurm/job_5/step_0\n")
    machine.group("cgroup/slurm/job_5/step_0", "max", 0)
    machine.group("cgroup/slurm/job_5", str(2 * GB), GB)
    machine.group("cgroup/slurm", str(64 * GB), GB)
    assert memory.available_memory() == GB


def test_groups_of_the_first_kind(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "7:cpu,cpuacct:/a\n5:hugetlb,memory:/docker/0a:1b\n0::/\n")
    machine.old_group("cgroup/memory", 6 * GB, 4 * GB, unused=GB)  # as a container sees its own
    assert memory.available_memory() == 3 * GB


def test_a_given_limit_binds_too(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_free_of_this_process", lambda: GB)
    assert memory.available_memory() == GB


def test_a_group_over_its_limit_leaves_nothing(machine: Machine) -> None:
    machine.write("proc/self/cgroup", "0::/\n")
    machine.group("cgroup", str(GB), 2 * GB)
    assert memory.available_memory() == 0


@pytest.mark.parametrize("damage", ["", "nonsense", "MemAvailable: many kB", "MemAvailable:"])
def test_what_cannot_be_read_is_not_told(machine: Machine, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write("proc/meminfo", damage)
    machine.write("proc/self/cgroup", "nonsense\n0::/\n")
    machine.write("cgroup/memory.max", str(GB))
    monkeypatch.setattr(memory, "_from_sysconf", lambda: 5)
    assert memory.available_memory() == 5


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    start = """
        import resource, sys, time, torch
        from wganx import memory
        free, memory._LEAST = 400 * 2**20, 0
        memory._free_of_the_machine = lambda swap: free
        before = resource.getrlimit(resource.RLIMIT_DATA)
    """
    whole = textwrap.dedent(start) + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", whole, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@on_linux_alone
def test_what_is_not_there_is_refused_and_what_is_there_is_given() -> None:
    done = run("""
        def taken(size):
            try:
                return len(torch.zeros(size, dtype=torch.uint8)) == size == len(bytearray(size))
            except (MemoryError, RuntimeError) as error:
                return False

        with memory.within_available_memory():
            time.sleep(0.5)
            print(taken(100 * 2**20), taken(800 * 2**20))
            free = 4 * 2**30
            time.sleep(1.5)
            print(taken(800 * 2**20))
        print(resource.getrlimit(resource.RLIMIT_DATA) == before, taken(800 * 2**20))
    """)
    assert (done.stdout.split(), done.stderr) == (["True", "False", "True", "True", "True"], "")


@on_linux_alone
def test_a_small_process_is_refused_nothing() -> None:
    done = run("""
        free, memory._LEAST = 0, 2 * 2**30
        with memory.within_available_memory():
            time.sleep(0.5)
            print(len(bytearray(2**29)) == 2**29, resource.getrlimit(resource.RLIMIT_DATA)[0] == 2 * 2**30)
    """)
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


@on_linux_alone
def test_a_limit_that_was_given_stays() -> None:
    done = run("""
        given = 3 * 2**30
        resource.setrlimit(resource.RLIMIT_DATA, (given, given))
        free = 2**40
        with memory.within_available_memory():
            time.sleep(0.5)
            print(resource.getrlimit(resource.RLIMIT_DATA) == (given, given))
        print(resource.getrlimit(resource.RLIMIT_DATA) == (given, given))
    """)
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


@on_linux_alone
def test_what_it_starts_is_not_bound_by_what_was_free_then() -> None:
    done = run("""
        import multiprocessing

        fork = multiprocessing.get_context("fork")
        queue = fork.SimpleQueue()
        with memory.within_available_memory():
            time.sleep(0.5)
            worker = fork.Process(target=lambda: queue.put(resource.getrlimit(resource.RLIMIT_DATA) == before))
            worker.start()
            print(queue.get())
            worker.join()
        of_then = (2**31, before[1])  # as a process has it that a command has started
        resource.setrlimit(resource.RLIMIT_DATA, of_then)
        free = 2**40
        with memory.within_available_memory():
            time.sleep(0.5)
            print(resource.getrlimit(resource.RLIMIT_DATA)[0] > 2**40)
        print(resource.getrlimit(resource.RLIMIT_DATA) == of_then)
    """)
    assert (done.stdout.split(), done.stderr) == (["True", "True", "True"], "")


@on_linux_alone
def test_a_command_that_runs_out_of_memory_says_so(tmp_path: Path) -> None:
    done = run(
        """
        from wganx.cli import main
        import wganx.runs.assembly
        wganx.runs.assembly.check_batches = lambda *ignored: time.sleep(1.1)
        main(sys.argv[1:], prog_name="wganx")
        """,
        *("train", "--plugin", "points", "--set", "train.batch_size=4000000", "--set", "train.micro_batch=off"),
        *("--out", str(tmp_path / "run"), "--set", "train.steps=1"),
    )
    assert done.returncode == 1
    assert done.stderr.endswith("wganx: there is not enough memory; take less at a time, or smaller sizes\n")
    assert "Traceback" not in done.stderr
    recorded = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert (recorded["status"], "allocate memory" in recorded["error"]) == ("failed", True)


def test_what_it_looks_at_is_counted(machine: Machine) -> None:
    before = memory.bytes_read()
    memory._free_of_the_machine(False)
    assert memory.bytes_read() - before == (machine.folder / "proc" / "meminfo").stat().st_size


def test_nothing_is_done_where_a_gpu_has_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_DRIVERS", (tmp_path,))
    monkeypatch.setattr(memory.threading, "Thread", lambda **ignored: pytest.fail("it was looked after"))
    with memory.within_available_memory():
        pass

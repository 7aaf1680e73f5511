"""Options of a task that only whole files have a use for, chosen anew when files are sent through a generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from wganx.errors import UsageError, did_you_mean
from wganx.plugins.descriptors import Config, Task


def with_options(task: Task, config: Config, options: Mapping[str, Any]) -> Config:
    """The task's section of a run with other values of the options that are for whole files.

    Raises:
        UsageError: the task has no such option for files, or a value is none of it; says which there are, or why.
    """
    for name in options:
        if name not in task.applied:
            offered = ", ".join(_flag(each) for each in task.applied)
            has = f"for files it has {offered}" if offered else "it has none for files"
            also = "; that is chosen when it is trained" if name in type(config).model_fields else ""
            close = did_you_mean(_flag(name), map(_flag, task.applied))
            raise UsageError(f"{task} has no option {_flag(name)} for files{also}; {has}{close}")
    try:
        return type(config).model_validate({**dict(config), **options})
    except ValidationError as error:
        raise UsageError("; ".join(map(_in_words, error.errors()))) from None


def _in_words(fault: Any) -> str:
    text = str(fault["msg"]).removeprefix("Value error, ")
    return f"{_flag(str(fault['loc'][0]))} {fault['input']}: {text}" if fault["loc"] else text


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")

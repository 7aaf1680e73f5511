"""Evaluating a run on data that it was not trained on: another dataset, brought to what its generator is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from wganx.batch import SampleFormat
from wganx.config import Resolved, resolve
from wganx.engine import Sampler
from wganx.errors import PluginFailed, Unavailable, UsageError, WganxError
from wganx.evaluation import heldout_batch
from wganx.plugins.contracts import Fitted, Game, Items, Split
from wganx.plugins.descriptors import Dataset
from wganx.plugins.guard import one_line
from wganx.runs.assembly import Assembly
from wganx.runs.fitted import FittedParts
from wganx.runs.folder import RunFolder

_ONE = "another dataset can be named, by dataset=NAME or --dataset NAME"


def with_dataset(
    folder: RunFolder, run: Resolved, name: str, data: str | Path | None, settings: Sequence[str]
) -> Resolved:
    """The run's configuration with another dataset.

    The options of the run's dataset hold for the other one where it knows them too, so that sizes and lengths are those
    that the generator knows; `settings` go before.

    Args:
        data: becomes the other dataset's root.
        settings: ``dataset.key=value``; and ``task.key=value``, where this data needs the task to be played otherwise.

    Raises:
        PluginError: the run's plugins offer no such dataset.
        UsageError: it is of another modality, or a setting is none of a dataset.
        ConfigError: its options are not what they should be.
    """
    dataset, modality = run.catalog.dataset(name), run.parts.modality.name
    if dataset.modality != modality:
        raise UsageError(f"{dataset} holds {dataset.modality}, and the run makes {modality}; name one of its modality")
    for setting in settings:
        if not setting.startswith(("dataset.", "task.")):
            raise UsageError(
                f"--set {setting}: what was trained stays as it is; options of the dataset and the task can be set, as "
                "--set dataset.key=value"
            )
    said = {setting.partition("=")[0].strip() for setting in settings}
    carried = {
        f"dataset.{option}": value
        for option, value in run.run.dataset
        if option in dataset.config.model_fields
        and option != "root"
        and f"dataset.{option}" not in said
        and (_is_chosen(run, option, value) or _is_one(dataset, option, value))
    }
    written_by = {plugin["name"]: plugin["version"] for plugin in folder.facts().get("plugins", [])}
    return resolve(
        config=folder.config, overrides={"dataset.name": name, **carried}, settings=settings, data=data, environ={},
        device=run.run.device, extensions=run.run.extensions, written_by=written_by,
    )  # fmt: skip


def elsewhere(
    folder: RunFolder, home: Assembly, name: str | None, data: str | Path | None, settings: Sequence[str]
) -> OtherData | None:
    """A run at work on another dataset, or None where none is named; arguments and what is raised as of `with_dataset`.

    Raises:
        UsageError: data or settings are given, and no dataset they are for.
    """
    if name is None:
        if data is not None:
            raise UsageError(f"data is where the files of another dataset lie, and none is named; {_ONE}")
        if settings:
            raise UsageError(f"settings are for another dataset, and none is named; {_ONE}")
        return None
    resolved = with_dataset(folder, home.resolved, name, data, settings)
    described = folder.facts().get("data", {}).get("described", {})
    return OtherData(resolved, home=home, trained_on=str(described.get("fingerprint", "")))


@dataclass(frozen=True)
class OtherData(Assembly):
    """A run at work on another dataset: its task is played on the held-out items of that one.

    What was fitted when the run was trained reaches the task, networks and metrics as ever. A dataset of the same kind
    is opened with it too, and so brought to the same form; one of another kind fits what it needs itself.

    Attributes:
        home: the run on its own data, of which metrics may still look at the training items.
        trained_on: fingerprint of these.
    """

    home: Assembly = field(kw_only=True)
    trained_on: str = field(kw_only=True)

    @property
    def fitted_parts(self) -> FittedParts:
        return self.home.fitted_parts

    @cached_property
    def _fitted_to_dataset(self) -> Fitted:
        here, there = self.resolved.parts.dataset, self.home.resolved.parts.dataset
        if (here.name, here.origin) == (there.name, there.origin):
            return self.fitted_parts.dataset
        return self._fit_dataset()

    @property
    def formats(self) -> Mapping[str, SampleFormat]:
        return self.heldout_items.formats

    @property
    def played_otherwise(self) -> Mapping[str, Any]:
        """The options of the task that are others than in training."""
        own = self.home.resolved.run.task.model_dump(mode="json")
        return {
            name: value for name, value in self.resolved.run.task.model_dump(mode="json").items() if value != own[name]
        }

    @property
    def fingerprint_of_training(self) -> str:
        return self.trained_on

    @property
    def learnt_on(self) -> tuple[Game, Callable[[Split], Items]]:
        return self.home.game, self._items_of_training

    def items(self, split: Split) -> Items:
        """The held-out items of this data, and the training items of the run's own.

        Raises:
            Unavailable: the run's own data is not there, or is of another form than this.
        """
        return self.heldout_items if split == "heldout" else self._items_of_training(split)

    def _items_of_training(self, split: Split) -> Items:
        try:
            items = self.home.items(split)
        except (WganxError, OSError) as error:
            raise Unavailable(
                f"it looks at the training's data too, and that is not there ({one_line(error)})"
            ) from error
        here, there = self.game.sample, self.home.game.sample
        if here.shape != there.shape:
            raise Unavailable(f"it looks at the training's data too, which is {there}, and this is {here}")
        return items

    def fitting(self, sampler: Callable[[str | int], Sampler]) -> Callable[[str | int], Sampler]:
        """`sampler`, each of whose generators is known to make samples of the form that this data has."""

        def checked(checkpoint: str | int) -> Sampler:
            found = sampler(checkpoint)
            self._check(found)
            return found

        return checked

    def _check(self, sampler: Sampler) -> None:
        """Raises UsageError where the generator is not made for this data."""
        trained = self.home.game
        for here, there in (
            ({"sample": self.game.sample}, {"sample": trained.sample}),
            (dict(self.game.context), dict(trained.context)),
        ):
            if any(name not in here or _form(here[name]) != _form(known) for name, known in there.items()):
                raise self._unlike(here, there)
        batch = heldout_batch(self.game, self.heldout_items, 1, seed=0, device=self.device)
        try:
            made = sampler.draw(1, seed=0, context=batch.context)
        except (UsageError, RuntimeError, ValueError, PluginFailed) as error:
            raise self._unlike(dict(self.game.context), dict(trained.context)) from error
        if made.shape != batch.real.shape:
            raise self._unlike({"sample": self.game.sample}, {"sample": trained.sample})

    def _unlike(self, here: Mapping[str, SampleFormat], there: Mapping[str, SampleFormat]) -> UsageError:
        """What does not fit, and the mend."""
        found = [name for name in there if here.get(name) != there[name]] or list(there)
        seen = ", ".join(f"{name} is {here.get(name, 'not there')}" for name in found)
        known = ", ".join(str(there[name]) for name in found)
        return UsageError(
            f"{self.resolved.parts.dataset} does not fit this run: its {seen}, and the generator was trained on "
            f"{known}; bring it to that by its options (--set dataset.key=value), or name another"
        )


def _is_chosen(run: Resolved, option: str, value: Any) -> bool:
    """Whether an option of the run's dataset is another than it is by default."""
    field = type(run.run.dataset).model_fields[option]
    return bool(value != field.get_default(call_default_factory=True))


def _is_one(dataset: Dataset, option: str, value: Any) -> bool:
    """Whether another dataset's option of that name may have this value."""
    field = dataset.config.model_fields[option]
    annotated: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    try:
        TypeAdapter(annotated).validate_python(value)
    except ValidationError:
        return False
    return True


def _form(format: SampleFormat) -> tuple[Any, ...]:
    """What a network was made for, whatever the size."""
    return format.axes, format.value_range, format.classes

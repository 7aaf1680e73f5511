"""``--data``: which dataset reads the user's own files, whose settings hold for them, and what suits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wganx.config.sections import DatasetSection
from wganx.config.sources import Layer
from wganx.data.watchdog import Wait
from wganx.engine import choose_device
from wganx.errors import DataError, NoAnswer, PluginFailed
from wganx.names import at_home
from wganx.plugins import Catalog
from wganx.plugins.contracts import DataContext
from wganx.plugins.descriptors import Dataset
from wganx.plugins.guard import call

SUITS = "by the data: "
"""What origins of values begin with that a dataset finds suitable for the user's files."""


def folder_dataset(user: Sequence[Layer], catalog: Catalog, modality: str) -> Dataset | None:
    """The dataset of folders; None where the user names a dataset, or the plugin has none of folders."""
    if any("name" in section for layer in user if isinstance(section := layer.values.get("dataset"), dict)):
        return None
    folders = [offer for offer in catalog.offers(Dataset) if offer.folder and offer.modality == modality]
    return folders[0] if folders else None


def point_at(data: Path, user: Sequence[Layer], folder: Dataset | None, base: Layer, *, named: bool) -> None:
    """Make ``--data`` the dataset's root, and `folder` the dataset where there is one.

    What the user and a scenario that the user named set for another dataset, and the folder dataset knows too, holds
    for the user's files: whoever names a scenario of 64 px and a folder wants the folder's pictures at 64 px. What a
    scenario that nobody named says of files of another dataset was never meant for these.
    """
    call, flag = user[-1], f"--data {data}"
    call.put(("dataset", "root"), str(at_home(data).absolute()), flag)
    if folder is None:
        return
    own = base.values.get("dataset")
    if not named and isinstance(own, dict) and own.get("name") != folder.name:
        for option in set(own) - set(DatasetSection.model_fields):
            base.drop("dataset", option)
    kept: dict[str, tuple[Any, str]] = {}
    for layer in [base, *user]:
        section = layer.values.get("dataset")
        for option, value in section.items() if isinstance(section, dict) else ():
            if option in folder.config.model_fields:
                kept[option] = value, layer.origins.get(("dataset", option), flag)
    call.put(("dataset", "name"), folder.name, flag)
    for option, (value, origin) in kept.items():
        if option not in call.values["dataset"]:
            call.put(("dataset", option), value, origin)


def suggested(user: Sequence[Layer], folder: Dataset, device: str, seed: int) -> Layer:
    """What the dataset finds suitable, as a layer that lies over the scenario; empty where it cannot look.

    Raises:
        PluginFailed: it suggests something that is no option with a value and a reason.
    """
    suits = Layer()
    if folder.suggest is None:
        return suits
    options = {name: value for name, value in user[-1].values["dataset"].items() if name in folder.config.model_fields}
    try:
        config = folder.config(**options)
        context = DataContext(seed=seed, device=choose_device(device).type)
        with Wait(f"looking at the files of {folder}", opaque=True):
            found = call(folder, "suggest", config, context, returns=Mapping)
    except NoAnswer:
        raise
    except (ValidationError, DataError):  # said by whoever checks the options, and by whoever opens the data
        return suits
    for name, choice in found.items():
        match choice:
            case (value, str(why)) if "." in name:
                suits.put(tuple(name.split(".")), value, f"{SUITS}{why}")
            case _:
                raise PluginFailed(f"{folder.origin}: {folder}: suggest must give {{'section.option': (value, why)}}")
    return suits

"""Formant speech as items: rendered when asked for, a few neighbours at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wganx import DataContext, SampleFormat, Split
from wganx.data import DecodedItems
from wganx_audio.configs.datasets import FormantSpeechConfig
from wganx_audio.datasets.formant_speech.phonology import LANGUAGES, melody, phones
from wganx_audio.datasets.formant_speech.synthesis import render
from wganx_audio.datasets.formant_speech.tracks import track
from wganx_audio.datasets.formant_speech.utterances import FACTORS, Utterances, combinations, draw, pairs_held_out
from wganx_audio.datasets.sounds import stored_sound

_TOGETHER = 8
"""Items that are rendered at once, which takes a third of the time that each alone would."""
_KEPT = 16
"""How many of these are kept, for whoever reads in order."""
_STREAM: Mapping[Split, int] = {"train": 0, "heldout": 1}


def open_formant_speech(config: FormantSpeechConfig, split: Split, context: DataContext) -> FormantSpeech:
    """Words that are spoken by formants; `context.seed`, the split and its number fix an item."""
    return FormantSpeech(config, split, context.seed)


class FormantSpeech(DecodedItems):
    """Items of a sound int16 ``(1, length)`` and a label for every factor of which more than one value is chosen."""

    def __init__(self, config: FormantSpeechConfig, split: Split, seed: int) -> None:
        self.config = config
        self._stream = (seed, _STREAM[split])
        self._count = config.count if split == "train" else max(1, config.count // 4)
        self._chosen: dict[str, tuple[str, ...]] = {
            "word": config.words,
            "speaker": config.speakers,
            "emotion": config.emotions,
            "language": config.languages,
        }
        self._combinations_M4 = combinations(self._chosen, held_out=config.held_out_pairs and split == "train")
        self.details = _kept_apart(self._chosen) if config.held_out_pairs else ()
        self._restart()
        formats = {"sample": stored_sound(1, config.length, config.rate)}
        formats |= {name: SampleFormat.label(values) for name, values in self._chosen.items() if len(values) > 1}
        if config.text:
            formats["text"] = _spelling(config)
        options: Mapping[str, Any] = config.model_dump()
        super().__init__(
            formats,
            root=Path(__file__).parent,
            recipe=(render, track, draw, phones, melody, *options.items(), *self._stream),
        )

    def _restart(self) -> None:
        self._rendered: OrderedDict[int, list[dict[str, Tensor]]] = OrderedDict()
        self._rendering = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_rendered", "_rendering")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._restart()

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        return f"item {index}"

    def stamps(self) -> Iterable[str]:
        """Nothing but what they are made by decides about the items."""
        return ()

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        chunk, place = divmod(index, _TOGETHER)
        with self._rendering:
            if chunk not in self._rendered:
                begin = chunk * _TOGETHER
                self._rendered[chunk] = self._items(range(begin, min(begin + _TOGETHER, len(self))))
                if len(self._rendered) > _KEPT:
                    self._rendered.popitem(last=False)
            return {name: value.clone() for name, value in self._rendered[chunk][place].items()}

    def utterances(self, indices: Sequence[int]) -> Utterances:
        """What is said in some items."""
        return draw(self._combinations_M4, indices, self._stream, self.config.length)

    def parallel(self, indices: Sequence[int], **labels: str | Tensor) -> Tensor:
        """Some items as they would be with other labels: what is said, its rate, its noise stay as they are.

        Args:
            indices: of the items.
            labels: a new label for all by its name (``speaker="anna"``), or the new labels ``(N,)`` in the classes of
                `formats`.

        Returns:
            int16 ``(N, 1, length)``.

        Raises:
            KeyError, ValueError: there is no such factor, or no such value of it.
        """
        changed = {
            name: value if isinstance(value, str) else self._among_all(name)[value] for name, value in labels.items()
        }
        return self.render(self.utterances(indices).but(**changed))

    def render(self, utterances: Utterances) -> Tensor:
        """What utterances sound like, int16 ``(N, 1, length)``."""
        return render(utterances, rate_hz=self.config.rate, length=self.config.length)

    def _among_all(self, name: str) -> Tensor:
        """The place of each chosen value of a factor among all there are."""
        return torch.tensor([FACTORS[name].index(value) for value in self._chosen[name]])

    def _items(self, indices: Sequence[int]) -> list[dict[str, Tensor]]:
        utterances = self.utterances(indices)
        columns = {"sample": self.render(utterances)}
        for name, format in self.formats.items():
            if format.is_label:
                values: Tensor = getattr(utterances, name)
                columns[name] = (values[:, None] == self._among_all(name)).int().argmax(1)
            elif format.is_text:
                said = zip(utterances.language.tolist(), utterances.word.tolist())
                columns[name] = torch.tensor([format.tokens(_SPELLED[language][word]) for language, word in said])
        return [{name: column[row] for name, column in columns.items()} for row in range(len(indices))]


def _kept_apart(chosen: Mapping[str, Sequence[str]]) -> list[str]:
    pairs = [
        f"{one} {other}"
        for kind, held_out in pairs_held_out(chosen).items()
        for one, other in sorted(held_out)
        if one in chosen[kind[0]] and other in chosen[kind[1]]
    ]
    return [f"pairs that only held-out items have: {', '.join(pairs)}"] if pairs else []


_SPELLED = [language.words for language in LANGUAGES.values()]


def _spelling(config: FormantSpeechConfig) -> SampleFormat:
    """The format of how words are spelled: the letters of the chosen languages."""
    words = [word for language in config.languages for word in LANGUAGES[language].words]
    return SampleFormat.text(tuple(sorted(set("".join(words)))), max(map(len, words)))

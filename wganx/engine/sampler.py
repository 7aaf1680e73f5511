"""Drawing samples from a generator."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from wganx.batch import JSON, SampleFormat
from wganx.engine.modes import evaluating
from wganx.engine.noise_layer import NoiseLayer
from wganx.engine.randomness import apart
from wganx.errors import UsageError, did_you_mean
from wganx.names import composed


class Sampler:
    """Draws from a generator; the same seed gives the same samples, and nobody's random streams are moved.

    Args:
        module: the generator, on `device`; of a training, the averaged one. A copy of its weights is not made.
        noise: shape of one noise sample (standard normal), or None for none.
        device: where it computes.
        sample: format of what is drawn, for whoever writes or measures it.
        context: format of each thing the generator is given beside noise; labels among it are chosen here.
        seed: of draws that name none.
        rows: that the generator takes at once, where it takes no other number.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        noise: tuple[int, ...] | None,
        device: torch.device | str,
        sample: SampleFormat | None = None,
        context: Mapping[str, SampleFormat] | None = None,
        seed: int = 0,
        rows: int | None = None,
    ) -> None:
        self.rows = rows
        self.module, self.noise, self.device = module, noise, torch.device(device)
        self.sample, self.context, self.seed = sample, dict(context or {}), seed

    def draw(
        self,
        count: int,
        *,
        seed: int | None = None,
        given: Mapping[str, str | float] | None = None,
        context: Mapping[str, Tensor] | None = None,
        noise: Tensor | None = None,
        truncation: float = 1.0,
        chunk: int = 256,
    ) -> Tensor:
        """`count` samples ``(count, ...)`` on the device, made by the generator in evaluation mode.

        Args:
            given: the class of labels, by name or number; it stands for all samples.
            context: ``count`` rows of what else the generator is given. Labels that are neither here nor in `given`
                go through all their combinations in turn.
            noise: ``(count, *noise)`` to draw from, instead of random rows.
            truncation: how far samples go from their mean: what the first layer makes of the noise is pulled to its
                mean by this factor. 1 leaves it, less gives samples that are more typical and more alike (Marchesi
                2017, "Megapixel size image creation using generative adversarial networks"; Karras et al. 2019, "A
                style-based generator architecture").
            chunk: samples made at once.

        Raises:
            UsageError: a label or class that is not there, rows of another number, noise of another shape, context
                that only data has, or a truncation that is not above 0 or has no noise to work on.
        """
        if not isinstance(count, int) or count < 1:
            raise UsageError(f"at least one sample can be drawn, not {count!r}")
        context = self.context_rows(count, given=given, context=context)
        if noise is not None and (self.noise is None or noise.shape != (count, *self.noise)):
            takes = "no noise" if self.noise is None else f"noise {(count, *self.noise)}"
            raise UsageError(f"this generator takes {takes} for {count} samples, not {tuple(noise.shape)}")
        wanted, chunk = count, self.rows or chunk
        if self.rows:  # the last rows are drawn and not used
            count = math.ceil(count / chunk) * chunk
            again = torch.arange(count) % wanted
            context = {name: tensor[again] for name, tensor in context.items()}
            noise = None if noise is None else noise[again]
        parts = (
            (min(chunk, count - start), {name: tensor[start : start + chunk] for name, tensor in context.items()})
            for start in range(0, count, chunk)
        )
        made = self.draw_each(parts, seed=seed, noise=noise, truncation=truncation)
        return torch.cat(list(made))[:wanted].contiguous()

    def draw_each(
        self,
        parts: Iterable[tuple[int, Mapping[str, Tensor]]],
        *,
        seed: int | None = None,
        noise: Tensor | None = None,
        truncation: float = 1.0,
    ) -> Iterator[Tensor]:
        """Samples part by part, never all of them at once; from one stream of noise, as `draw` takes its chunks.

        Close it where it is left before its end: until then the global streams of randomness are the generator's.

        Args:
            parts: how many samples are wanted, and their whole context.
            noise: of all parts in their order, to draw from instead of random rows.
            truncation: as for `draw`.

        Raises:
            UsageError: as `draw`.
        """
        kind = next((each.dtype for each in self.module.parameters() if each.is_floating_point()), torch.float32)
        self._check_truncation(truncation)
        used, layer = 0, None
        with evaluating(self.module), apart(self.seed if seed is None else seed, self.device) as draws:
            for wanted, given in parts:
                context = {name: tensor.to(self.device) for name, tensor in given.items()}
                rows = self.rows or wanted
                if rows != wanted:
                    context = {name: tensor[torch.arange(rows) % wanted] for name, tensor in context.items()}
                self._check_call(context)
                latent = None
                if self.noise is not None and noise is None:
                    latent = torch.randn(rows, *self.noise, generator=draws, device=self.device, dtype=kind)
                elif noise is not None:
                    latent = noise[used : used + rows].to(self.device, kind)
                used += rows
                with torch.no_grad(), ExitStack() as pulled:
                    if truncation != 1 and latent is not None:
                        layer = layer or NoiseLayer(self.module, latent.shape[1:], context)
                        pulled.enter_context(layer.pulled(truncation, latent, context))
                    made = self.module(*(() if latent is None else (latent,)), **context)
                yield made[:wanted]

    def context_rows(
        self,
        count: int,
        *,
        given: Mapping[str, str | float] | None = None,
        context: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Everything that `draw` gives the generator beside noise, each ``(count, ...)``.

        Raises:
            UsageError: as `draw`.
        """
        rows = {name: tensor.to(self.device) for name, tensor in (context or {}).items()}
        for name, tensor in rows.items():
            if len(tensor) != count:
                raise UsageError(f"context {name!r} has {len(tensor)} rows for {count} samples; give one a sample")
        for name, choice in (given or {}).items():
            rows[name] = self._chosen(name, choice, count)
        turn = torch.arange(count, device=self.device)
        for name, format in self.context.items():
            if name in rows:
                continue
            if format.is_number:
                rows[name] = self._number(name, format, format.signal["usual"], count)
                continue
            if format.is_text:
                raise UsageError(f"the generator needs a text: --given {name}=..., or sample with the dataset in place")
            if not format.is_label:
                raise UsageError(
                    f"the generator needs {name!r} from data: give --source FILE, or sample with the dataset in place"
                )
            # One digit of the row's number for each label, so that all combinations come by.
            rows[name] = turn % len(format.classes)
            turn = turn // len(format.classes)
        return rows

    def noise_layer(self, context: Mapping[str, Tensor]) -> NoiseLayer:
        """The first layer that noise passes, for a context of whose rows the first is used.

        Raises:
            UsageError: there is no noise, or no such layer.
        """
        if self.noise is None:
            raise UsageError("this generator takes no noise, so there is no layer that it passes first")
        with evaluating(self.module), apart(self.seed, self.device):
            return NoiseLayer(self.module, self.noise, context)

    def _check_truncation(self, truncation: float) -> None:
        if isinstance(truncation, bool) or not 0 < truncation < math.inf:
            raise UsageError(
                f"truncation is a number above 0, where 1 leaves samples as they are and less makes them more typical, "
                f"not {truncation!r}"
            )
        if truncation != 1 and self.noise is None:
            raise UsageError("this generator takes no noise, so there is nothing to truncate; leave truncation out")

    def check_given(self, given: Mapping[str, str | float]) -> None:
        """What `draw` would say of labels, numbers and texts that are given, before anything is read or made.

        Raises:
            UsageError: as `draw`.
        """
        for name, choice in given.items():
            self._chosen(name, choice, 1)

    def _check_call(self, context: Mapping[str, Tensor]) -> None:
        try:
            signature = inspect.signature(self.module.forward)
        except (TypeError, ValueError):  # one that is not written in Python
            return
        try:
            signature.bind(*(() if self.noise is None else (None,)), **context)
        except TypeError as error:
            raise UsageError(
                f"the generator cannot be called with {', '.join(context) or 'noise alone'}: {error}; "
                "give context={name: one row a sample}"
            ) from None

    def _chosen(self, name: str, choice: str | float, count: int) -> Tensor:
        """What was given for a label, a number or a text, the same for every row."""
        format = self.context.get(name)
        if format is not None and format.is_number:
            return self._number(name, format, choice, count)
        if format is not None and format.is_text:
            try:
                tokens = format.tokens(str(choice))
            except ValueError as error:
                raise UsageError(f"{name}: {error}") from None
            return torch.tensor(tokens, device=self.device).expand(count, -1).clone()
        return torch.full((count,), self._class_index(name, choice), device=self.device)

    def _number(self, name: str, format: SampleFormat, choice: JSON, count: int) -> Tensor:
        low, high = format.value_range or (-math.inf, math.inf)
        try:
            number = float(choice)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high:
            raise UsageError(f"{name} is a number in {low:g} .. {high:g}, not {choice!r}")
        return torch.full((count,), number, device=self.device)

    def _class_index(self, name: str, choice: str | float) -> int:
        labels = {label: format for label, format in self.context.items() if format.is_label}
        if not labels:
            raise UsageError("this generator takes no label, so a class cannot be chosen; train with task.labels=true")
        if name not in labels:
            offered = ", ".join(labels)
            raise UsageError(f"this generator takes no label {name!r}; labels: {offered}{did_you_mean(name, labels)}")
        classes = labels[name].classes
        if isinstance(choice, int) and 0 <= choice < len(classes):
            return choice
        if choice not in classes and isinstance(choice, str):
            choice = next((each for each in classes if composed(each) == composed(choice)), choice)
        if choice not in classes:
            close, which = did_you_mean(str(choice), classes), f"{name}: " if len(labels) > 1 else ""
            raise UsageError(f"{which}no class {choice!r}; classes: {', '.join(classes)}{close}")
        return classes.index(str(choice))

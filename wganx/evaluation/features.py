"""Features of samples, by any extractor: in chunks on the device, each found once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.data.identity import content_of
from wganx.errors import DataError, PluginFailed, Unavailable, WganxError
from wganx.evaluation.sides import Side
from wganx.plugins.guard import one_line

CHUNK = 500


class Features:
    """The features of one evaluation's samples.

    Args:
        load: the network of an extractor, by its name.
    """

    def __init__(self, load: Callable[[str], nn.Module], device: torch.device) -> None:
        self._load, self._device = load, device
        self._networks: dict[str, nn.Module] = {}
        self._refused: dict[str, str] = {}
        self._used: set[str] = set()
        self._found: dict[tuple[str, int], tuple[Batch | Side, Tensor]] = {}

    def use(self, name: str, network: nn.Module) -> None:
        """Take a network of the caller's own for the extractor `name`."""
        self._networks[name] = network.to(self._device).eval()
        self._refused.pop(name, None)

    def __call__(self, extractor: str, side: Batch | Side) -> Tensor:
        """Features ``(n, d)`` of a side's samples, on the CPU in float32.

        Args:
            extractor: its name; ``name#method`` for another output of its network.

        Raises:
            PluginFailed: the extractor gives something else.
        """
        key = (extractor, id(side))
        if key not in self._found:
            # The side is kept with its features, so that no other can come to stand at its place in memory.
            self._found[key] = side, self._extract(extractor, side)
        return self._found[key][1]

    def network(self, extractor: str) -> nn.Module:
        """The network of an extractor, on the device."""
        name = extractor.partition("#")[0]
        if name in self._refused:  # what was learnt and found wanting is not learnt again for the next metric
            raise Unavailable(self._refused[name])
        if name not in self._networks:
            try:
                self._networks[name] = self._load(name).to(self._device).eval()
            except Unavailable as refusal:
                self._refused[name] = str(refusal)
                raise
        self._used.add(name)
        return self._networks[name]

    def digest(self, extractor: str) -> str:
        """Of the weights of an extractor's network."""
        return digest(self.network(extractor))

    def digests(self) -> dict[str, str]:
        """Of the weights of every extractor that was used since the last `forget`, by its name."""
        return {name: digest(self._networks[name]) for name in sorted(self._used)}

    def resizes(self) -> dict[str, str]:
        """How each of them brings samples to another size, in words."""
        return {name: str(getattr(self._networks[name], "resize", "none")) for name in sorted(self._used)}

    def forget(self) -> None:
        """Let go of the features; the networks stay."""
        self._found.clear()
        self._used.clear()

    @torch.no_grad()
    def _extract(self, extractor: str, side: Batch | Side) -> Tensor:
        network, method = self.network(extractor), extractor.partition("#")[2]
        find = getattr(network, method) if method else network
        features: Tensor | None = None
        done = 0
        for batch in [side] if isinstance(side, Batch) else side.parts():
            for part in torch.split(batch.real, CHUNK):
                found = self._call(find, extractor, part.to(self._device).float())
                self._check(extractor, found, part)
                if features is None:
                    # All of it at once: small results between large steps would leave the memory full of holes.
                    features = torch.empty(len(side), found.shape[1])
                features[done : done + len(part)] = found
                done += len(part)
        return torch.empty(0, 0) if features is None else features

    @staticmethod
    def _call(find: Callable[[Tensor], object], extractor: str, part: Tensor) -> Any:
        try:
            return find(part)
        except (WganxError, MemoryError):
            raise
        except Exception as error:
            raise PluginFailed(
                f"extractor {extractor!r} failed on samples of shape {tuple(part.shape)} from {float(part.min()):.3g} "
                f"to {float(part.max()):.3g}: {one_line(error)}"
            ) from None

    @staticmethod
    def _check(extractor: str, found: object, part: Tensor) -> None:
        rows = len(part)
        if not (isinstance(found, Tensor) and found.ndim == 2 and len(found) == rows):
            seen = f"features of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise PluginFailed(f"extractor {extractor!r} returned {seen} for {rows} samples; ({rows}, d) is wanted")
        if (wrong := int((~found.isfinite()).any(dim=1).sum())) == 0:
            return
        if samples := int((~part.isfinite()).flatten(1).any(dim=1).sum()):
            raise DataError(f"{samples} of {rows} samples hold values that are not finite; the generator has diverged")
        raise PluginFailed(f"extractor {extractor!r} makes features that are not finite of {wrong} of {rows} samples")


def digest(network: nn.Module) -> str:
    """16 hexadecimal digits of a network's weights and buffers."""
    found = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        found.update(name.encode("utf-8"))
        found.update(content_of(tensor))
    return found.hexdigest()[:16]

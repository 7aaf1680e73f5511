"""Entropic transport between two sides: costs and plans made a tile at a time, and the two halves of an update."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

TILE = 2**18
"""Entries of a plan that a thread of a CPU makes at once: with their costs they stay in its caches."""

NEAR = 1e-4
"""Squared distances below this share of the squared size of the sets are taken anew, from differences."""

SAFE_BITS = 40.0
"""How far from 1, in powers of two, a sum may lie before it is taken anew with its largest term set apart."""

SINGLE_DIGITS = 1e-4
"""What rounding to float32 may change, as a share, of an entry of a plan."""

LOG2_E = 1 / math.log(2.0)


@dataclass(frozen=True, eq=False)
class Side:
    """One set of samples ``(n, d)`` in float64, with its weights in the type of the computation."""

    points: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.points)

    def to(self, dtype: torch.dtype) -> Side:
        return replace(self, weights=self.weights.to(dtype))

    def mean(self, values: Tensor) -> float:
        return float(self.weights.double() @ values.double())


@dataclass(frozen=True)
class Tile:
    """Rows and columns of a plan; `mirrored` where the transposed tile is to be had from it."""

    rows: slice
    columns: slice
    mirrored: bool = False


class Problem:
    """``min_π Σ π_ij c_ij + ε KL(π | a ⊗ b)`` with ``c = ‖x - y‖^p``; ``π_ij = a_i b_j exp((f_i + g_j - c_ij) / ε)``.

    A potential is updated from a guess of itself: then the exponents are near 0 where it matters, and sums of plain
    powers of two do, no largest term looked for. Where a sum leaves the range all the same, it is taken anew with care.
    Between small sides (at most `batch` samples each) the plan is kept, and an update is the product of a matrix and a
    vector; else its tiles are made and forgotten, half of them where both sides are one.

    Squared distances are products of matrices, in float64 wherever float32 would lose what matters. Above `typical`, a
    cost of middling size, a temperature makes all entries nearly 1, and only their differences from 1 are summed.
    """

    def __init__(self, first: Side, second: Side, p: float, typical: float, batch: int) -> None:
        self.first, self.second, self.p, self.typical, self.batch = first, second, p, typical, batch
        self.dtype, device = first.weights.dtype, first.points.device
        self.symmetric = first is second
        self._small = max(len(first), len(second)) <= batch
        self._squares = first.points.square().sum(1), second.points.square().sum(1)
        self._size = float(self._squares[0].max() + self._squares[1].max())
        self._left = _factors(-2 * first.points, self._squares[0], 1.0)
        self._right = _factors(second.points, 1.0, self._squares[1])
        self._kept: _Kept | None = None
        edge = math.isqrt(TILE * torch.get_num_threads()) if device.type == "cpu" else max(len(first), len(second))
        self._rows, self._columns = min(len(first), batch, edge), min(len(second), edge)
        self._exact = torch.empty(self._rows * self._columns, dtype=torch.float64, device=device)
        self._single = torch.empty_like(self._exact, dtype=self.dtype) if self.dtype != torch.float64 else self._exact

    def to(self, dtype: torch.dtype) -> Problem:
        """The same in another type of numbers."""
        if dtype == self.dtype:
            return self
        first = self.first.to(dtype)
        second = first if self.symmetric else self.second.to(dtype)
        return self.between(first, second)

    def between(self, first: Side, second: Side, batch: int | None = None) -> Problem:
        """That between other sides."""
        return Problem(first, second, self.p, self.typical, batch or self.batch)

    def zeros(self) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(self.first.weights), torch.zeros_like(self.second.weights)

    def first_potential(self, f: Tensor, g: Tensor, epsilon: float) -> Tensor:
        """``-ε log Σ_j b_j exp((g_j - c_ij) / ε)`` ``(n,)``, from a guess `f` of it."""
        return self._updated(f, g, epsilon, rows=True)

    def second_potential(self, f: Tensor, g: Tensor, epsilon: float) -> Tensor:
        """``-ε log Σ_i a_i exp((f_i - c_ij) / ε)`` ``(m,)``, from a guess `g` of it."""
        return self._updated(f, g, epsilon, rows=False)

    def softmin(self, potential: Tensor, epsilon: float, *, rows: bool, which: Tensor | None = None) -> Tensor:
        """The same without a guess: of the first side from ``g (m,)`` where `rows`, else of the second from ``f (n,)``.

        `which` are the places wanted, all if None.
        """
        own, other = (self._left, self._right) if rows else (self._right, self._left)
        points, others = (self.first, self.second) if rows else (self.second, self.first)
        scale = LOG2_E / epsilon
        exponent = others.weights.log2() + scale * potential
        at = torch.arange(len(points), device=own.device) if which is None else which
        found = []
        for part in torch.split(at, max(1, min(self.batch, len(self._exact) // len(others)))):
            squared = _mended(own[part] @ other.T, points.points[part], others.points, NEAR * self._size)
            powers = torch.sub(exponent, self._power(squared.to(self.dtype)), alpha=scale)
            top = powers.amax(1, keepdim=True)
            found.append(top[:, 0] + powers.sub_(top).exp2_().sum(1).log2_())
        return torch.cat(found) / -scale

    def tiles(self) -> Iterator[Tile]:
        """All of the plan; where both sides are one and it is not kept, its diagonal tiles and those right of them."""
        n, m = len(self.first), len(self.second)
        halved = self.symmetric and not self._small
        for start in range(0, n, self._rows):
            rows = slice(start, min(start + self._rows, n))
            if halved:
                yield Tile(rows, rows)
            for column in range(rows.stop if halved else 0, m, self._columns):
                yield Tile(rows, slice(column, min(column + self._columns, m)), halved)

    def squared_distances(self, tile: Tile) -> Tensor:
        """Those of a tile, in float64; the next call overwrites them."""
        left, right = self._left[tile.rows], self._right[tile.columns]
        found = torch.mm(left, right.T, out=_shaped(self._exact, len(left), len(right)))
        if self.dtype != torch.float64:  # what is off is below what rounding to float32 leaves
            return found.clamp_(min=0)
        points = self.first.points[tile.rows], self.second.points[tile.columns]
        return _mended(found, *points, NEAR * self._size)

    def _updated(self, f: Tensor, g: Tensor, epsilon: float, *, rows: bool) -> Tensor:
        guess, sums = (self._kept_sums if self._small else self._sums)(f, g, epsilon, rows=rows)
        logarithms = sums.log1p_() if epsilon >= self.typical else sums.log_()
        unsafe = (~(logarithms.abs() < SAFE_BITS / LOG2_E)).nonzero()[:, 0]
        updated = torch.sub(guess, logarithms, alpha=epsilon)
        if len(unsafe):
            updated[unsafe] = self.softmin(g if rows else f, epsilon, rows=rows, which=unsafe)
        return updated

    def _sums(self, f: Tensor, g: Tensor, epsilon: float, *, rows: bool) -> tuple[Tensor, Tensor]:
        """The guess, and the sums of the plan's rows or columns under it, of entries before their own side's weights.

        Where the temperature is high, the sums are less 1.
        """
        make = self._maker(f, g, epsilon)
        sums = torch.zeros_like(f if rows else g)
        for tile in self.tiles():
            entries = make(tile)
            if rows:
                sums[tile.rows].addmv_(entries, self.second.weights[tile.columns])
            if tile.mirrored or not rows:
                sums[tile.columns].addmv_(entries.T, self.first.weights[tile.rows])
        return (f if rows else g), sums

    def _kept_sums(self, f: Tensor, g: Tensor, epsilon: float, *, rows: bool) -> tuple[Tensor, Tensor]:
        """As `_sums`, with the potential that the kept plan was made with for a guess."""
        kept = self._kept
        if kept is None or kept.epsilon != epsilon or kept.moved(f, g) * LOG2_E > SAFE_BITS / 2:
            entries = torch.empty(len(f), len(g), dtype=self.dtype, device=f.device) if kept is None else kept.entries
            make = self._maker(f, g, epsilon)
            for tile in self.tiles():
                entries[tile.rows, tile.columns] = make(tile)
            kept = self._kept = _Kept(epsilon, f.clone(), g.clone(), entries)
        if rows:
            guess, entries, weights, moved = kept.f, kept.entries, self.second.weights, (g - kept.g) / epsilon
        else:
            guess, entries, weights, moved = kept.g, kept.entries.T, self.first.weights, (f - kept.f) / epsilon
        sums = torch.mv(entries, weights * moved.exp())
        return guess, sums + weights @ moved.expm1() if epsilon >= self.typical else sums

    def _maker(self, f: Tensor, g: Tensor, epsilon: float) -> Callable[[Tile], Tensor]:
        """Makes ``exp((f_i + g_j - c_ij) / ε)`` for a tile, less 1 where ε is high. The next call overwrites it."""
        high = epsilon >= self.typical
        scale = (1.0 if high else LOG2_E) / epsilon
        finish = torch.Tensor.expm1_ if high else torch.Tensor.exp2_
        if self.p == 2:  # the exponents themselves are a product
            rounded = torch.finfo(torch.float32).eps * 2 * self._size * scale
            # A GPU may be told to take float32 products with fewer digits still.
            single = rounded < SINGLE_DIGITS and self._exact.device.type == "cpu"
            dtype = self.dtype if single else torch.float64
            product = self._exact if dtype == torch.float64 else self._single
            left = _factors(2 * scale * self.first.points, scale * (f.double() - self._squares[0]), 1.0).to(dtype)
            right = _factors(self.second.points, 1.0, scale * (g.double() - self._squares[1])).to(dtype).T

            def make(tile: Tile) -> Tensor:
                a, b = left[tile.rows], right[:, tile.columns]
                exponents = torch.mm(a, b, out=_shaped(product, len(a), b.shape[1]))
                return finish(self._single_of(exponents))

            return make
        f, g = scale * f[:, None], scale * g

        def make_power(tile: Tile) -> Tensor:
            found = self._power(self._single_of(self.squared_distances(tile)))
            torch.sub(g[tile.columns], found, alpha=scale, out=found)
            return finish(found.add_(f[tile.rows]))

        return make_power

    def _single_of(self, exact: Tensor) -> Tensor:
        if exact.dtype == self.dtype:
            return exact
        return _shaped(self._single, *exact.shape).copy_(exact)

    def _power(self, squared: Tensor) -> Tensor:
        """``‖x - y‖^p`` in the place of squared distances."""
        if self.p == 2:
            return squared
        return squared.sqrt_() if self.p == 1 else squared.pow_(self.p / 2)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A plan that is kept, without weights, and what it was made with."""

    epsilon: float
    f: Tensor
    g: Tensor
    entries: Tensor

    def moved(self, f: Tensor, g: Tensor) -> float:
        """How far the potentials have gone since, in units of epsilon."""
        return float(torch.maximum((f - self.f).abs().max(), (g - self.g).abs().max())) / self.epsilon


def costs(x: Tensor, y: Tensor, p: float) -> Tensor:
    """``‖x_i - y_j‖^p`` in float64 ``(n, m)`` for ``x (n, d)`` and ``y (m, d)`` in float64."""
    squares = x.square().sum(1), y.square().sum(1)
    product = _factors(-2 * x, squares[0], 1.0) @ _factors(y, 1.0, squares[1]).T
    squared = _mended(product, x, y, NEAR * float(squares[0].max() + squares[1].max()))
    return squared.pow_(p / 2)


def _factors(points: Tensor, *columns: Tensor | float) -> Tensor:
    """`points` with columns beside them, so that products of matrices add what belongs to one side alone."""
    beside = [torch.as_tensor(c, dtype=points.dtype, device=points.device).expand(len(points)) for c in columns]
    return torch.cat([points, torch.stack(beside, 1)], 1)


def _mended(squared: Tensor, x: Tensor, y: Tensor, near: float) -> Tensor:
    """Squared distances with the small ones from differences: a product of matrices leaves them few digits."""
    rows, columns = (squared < near).nonzero(as_tuple=True)
    share = max(1, 2**20 // x.shape[1])
    for row, column in zip(torch.split(rows, share), torch.split(columns, share)):
        squared[row, column] = (x[row] - y[column]).square_().sum(1)
    return squared


def _shaped(buffer: Tensor, rows: int, columns: int) -> Tensor:
    return buffer[: rows * columns].view(rows, columns)

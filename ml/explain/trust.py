"""Two tests that a heat map carries of itself: does it point at what matters, and does it depend on the weights?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.explain import grids, maps
from ml.explain.structure import Array, structure
from ml.explain.trace import Trace
from ml.explain.untrained import Untrained, untrained
from ml.predictor import Predictor
from ml.preprocessing import normalise

KINDS = ("class_activation", "ablation", "occlusion")
COARSEST = 8
"""For the masks, and of an occlusion for both tests, finer maps are averaged to this many cells a side.

Scattered pixels would be noise, which disturbs everything.
"""
SHARE = 0.2
"""What is covered of the picture: its top fifth."""
RANDOM_MASKS = 32
"""At most; a map of few cells cannot be moved to as many places."""
BEATEN = 0.95
"""The share of random masks that must cost less."""
SEED = 0
THRESHOLD = 0.5
"""The greatest rank correlation that counts as unlike.

Of the 16 places of the coarsest maps it is what two unrelated ones exceed in 5 of 100 cases. On the site's 17 sample
pictures class activation maps reach at most 0.33; maps without a class in them, the mean of the VGG's last activations,
0.45 to 0.91, half of them more than 0.73.
"""

CONSTANT = "constant"
BLACK = "black"


@dataclass(frozen=True)
class Masks:
    """What covering the map's top fifth costs the class, against masks of the same shape in random places.

    passed: whether at least ``needed`` of ``n`` random masks cost less; None when it cannot be tested, and ``reason``
    says why: CONSTANT, a map without differences, or BLACK, a picture with nothing left to cover. drop: by how much the
    class's log-odds fall; random: the same for each random mask; beaten: how many of these are smaller. cells: what
    was covered, of a grid of ``grid`` cells a side, counted row by row from 0; share: of the picture, 0..1.
    """

    passed: bool | None
    reason: str
    grid: int
    cells: tuple[int, ...] = ()
    share: float = 0.0
    drop: float = 0.0
    random: tuple[float, ...] = ()
    beaten: int = 0
    n: int = 0
    needed: int = 0


@dataclass(frozen=True)
class Weights:
    """How like the map is to the same kind of map on the network with random weights.

    passed: whether ``similarity`` is at most ``threshold``; None and ``reason`` as in ``Masks``. similarity: the
    median over the random network's classes of the absolute rank correlation, 0..1. n: places that were compared.
    """

    passed: bool | None
    reason: str
    similarity: float
    threshold: float
    n: int


@dataclass(frozen=True)
class Trust:
    """Both tests of a map: its ``kind`` (one of KINDS), ``layer`` ("" where it has none) and class ``index``."""

    kind: str
    layer: str
    index: int
    masks: Masks
    weights: Weights

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)


def trust(
    predictor: Predictor, trace: Trace, index: int, kind: str, values: Array, *, layer: str = ""
) -> Trust:
    """Tests a map of class ``index`` of the picture ``trace.pixels``, made for the network of ``predictor``.

    kind: one of KINDS. values: float32 (h, h), larger where the picture speaks for the class; of an ``Occlusion`` that
    is ``-changes[..., index]``. layer: for an ablation, where its map was made. Raises ValueError for another kind,
    class, layer or shape, ArtifactError, and what the predictor raises.
    """
    if kind not in KINDS:
        raise ValueError(f"a map is one of {', '.join(KINDS)}, not {kind!r}")
    if not 0 <= index < len(predictor.card.labels):
        raise ValueError(
            f"{predictor.card.title} has classes 0 to {len(predictor.card.labels) - 1}, not {index}"
        )
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"a map is as high as wide, not {values.shape}")
    masks = against_masks(predictor, trace.pixels, index, values)
    name = predictor.card.name
    if kind == "occlusion":
        # Each of its squares is a pass in float32, and 256 of them take the Wide ResNet a quarter of a minute.
        values = grids.pooled(values, min(len(values), COARSEST)).astype(np.float32)
    weights = against_weights(values, lambda: untrained_maps(name, trace.pixels, kind, layer, len(values)))
    return Trust(kind, layer, index, masks, weights)


def against_masks(predictor: Predictor, pixels: NDArray[np.uint8], index: int, values: Array) -> Masks:
    """Covering what the map holds to be important must cost more than covering as much elsewhere.

    The deletion of Petsiuk et al., 2018 (section 4.3), at one dose. The random masks are the top fifth itself, moved
    round the picture's edges, turned and mirrored: only the place is compared. Single cells strewn at random would
    cut up the whole object and cost more than any one part of it. pixels: uint8 (size, size, 3). values: (h, h), larger
    where it matters. The network that answers is asked.
    """
    grid = min(len(values), COARSEST)
    if not pixels.any():
        return Masks(None, BLACK, grid)
    coarse = grids.pooled(values, grid)
    if is_constant(coarse):
        return Masks(None, CONSTANT, grid)
    top = np.argsort(-coarse.reshape(-1), kind="stable")[: max(1, round(SHARE * coarse.size))].tolist()
    others = elsewhere(top, grid)
    pictures = np.stack([pixels, *(grids.painted(pixels, grid, cells) for cells in [top, *others])])
    odds = maps.answers(predictor, pictures)[0][:, index]
    drop, *drops = (odds[0] - odds[1:]).tolist()
    beaten, needed = sum(one < drop for one in drops), math.ceil(BEATEN * len(drops))
    share = float(grids.mask(len(pixels), grid, top).mean())
    return Masks(
        beaten >= needed, "", grid, tuple(top), share, drop, tuple(drops), beaten, len(drops), needed
    )


def elsewhere(cells: Sequence[int], grid: int) -> list[list[int]]:
    """Up to RANDOM_MASKS other places of a mask, moved round the edges, turned and mirrored, by a fixed seed."""
    shape = grids.mask(grid, grid, cells)
    turned = [np.rot90(side, quarter) for side in (shape, shape[:, ::-1]) for quarter in range(4)]
    found = {
        tuple(np.flatnonzero(np.roll(one, (down, across), (0, 1))).tolist())
        for one in turned
        for down in range(grid)
        for across in range(grid)
    }
    places = sorted(found - {tuple(sorted(cells))})
    chosen = np.random.default_rng(SEED).permutation(len(places))[:RANDOM_MASKS]
    return [list(places[i]) for i in chosen]


def against_weights(values: Array, random_maps: Callable[[], Array]) -> Weights:
    """A map that looks the same whatever the weights shows the picture, not what was learned.

    Adebayo et al., 2018, section 3: model parameter randomisation. values: (h, h); random_maps: what gives the same
    kind of maps of all classes, (classes, h, h), on random weights. Classes of a network that learned nothing are all
    alike, so that the median over them says more than any single one; the sign of what such a class sees is chance.
    """
    if is_constant(values):
        return Weights(None, CONSTANT, 0.0, THRESHOLD, values.size)
    others = random_maps()
    found = [abs(rank_correlation(values, other)) for other in others if not is_constant(other)]
    if not found:
        return Weights(None, CONSTANT, 0.0, THRESHOLD, values.size)
    similarity = float(np.median(found))
    return Weights(similarity <= THRESHOLD, "", similarity, THRESHOLD, values.size)


def untrained_maps(name: str, pixels: NDArray[np.uint8], kind: str, layer: str, side: int) -> Array:
    """Maps of one kind of all classes of the network with random weights, float32 (classes, h, h).

    side: squares a side of an occlusion. Raises ValueError for a layer that maps are not offered at.
    """
    network = untrained(name)
    of = structure(name)
    if kind == "occlusion":
        return _untrained_occlusion(network, pixels, side)
    where = maps.last_maps(of) if kind == "class_activation" else layer
    picture = normalise(pixels[None], of.card.preprocessing)
    seen = network.parts.activations(picture, where)[0]
    if kind == "class_activation":
        return maps.weighted(network.dense, seen)
    most = maps.channels_within(of, where, maps.BUDGET)
    return maps.ablated(where, seen, lambda batch: network.parts.logits(batch, where), most).values


def _untrained_occlusion(network: Untrained, pixels: NDArray[np.uint8], grid: int) -> Array:
    pictures = np.stack([pixels, *(grids.painted(pixels, grid, [cell]) for cell in range(grid * grid))])
    how = network.parts.structure.card.preprocessing
    odds = maps.log_odds(network.parts.answers(normalise(pictures, how)))
    changes = (odds[0] - odds[1:]).astype(np.float32)
    return changes.T.reshape(-1, grid, grid)


def is_constant(values: NDArray[np.floating]) -> bool:
    """Whether a map shows nothing: no differences beyond rounding, or something that is not a number."""
    low, high = float(np.min(values)), float(np.max(values))
    return not high - low > 1e-6 * max(abs(low), abs(high))


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's rank correlation, -1..1: the correlation of ranks, equal values sharing the mean of theirs."""
    first, second = _ranks(a), _ranks(b)
    first -= first.mean()
    second -= second.mean()
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _found, inverse, counts = np.unique(values.reshape(-1), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse].astype(np.float64)

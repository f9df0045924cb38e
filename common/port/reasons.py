"""Why two modules part where they do: settings, an activation that values tell, the order of an array's numbers."""

from collections.abc import Sequence

import numpy as np

from common.port import orders
from common.port.alignment import NameMap
from common.port.live import OUTPUT, Live, Observed
from common.port.matching import SHOWN, Matching
from common.port.parting import Parted, activations, turned
from common.port.settings import BOUNDS, Difference
from common.spec.params import Arrays


def of_settings(parted: Parted | None, differing: Sequence[Difference], right: Observed, training: bool) -> list[str]:
    """The settings that differ in the layer that parted or, if its input did, between it and the layer before."""
    effective = [d for d in differing if training or not d.text.startswith(("momentum", "power iteration"))]
    if parted is None:
        return [str(d) for d in effective[:SHOWN]]
    own = [d.text for d in effective if d.layer == parted.layer]
    if parted.entered is False or (own and not parted.entered):
        return own
    places = {name: place for place, name in reversed([*enumerate(right.calls)])}
    start, end = places.get(parted.before, -1), places.get(parted.layer, -1)
    return [str(d) for d in effective if start < places.get(d.layer, -1) < end]


def of_activation(parted: Parted | None, right: Observed, actual: Observed, names: NameMap) -> list[str]:
    """The activations between the last layer that agrees and what parted, if values tell both."""
    before = parted.before if parted else list(right.layers)[-1] if right.layers else ""
    other = names.get(before, before)
    if parted and (not parted.entered or " (call " in parted.layer):
        return []
    x, y = right.layers.get(before), actual.layers.get(other)
    if parted:
        ends = right.entries.get(parted.layer), actual.entries.get(names.get(parted.layer, parted.layer))
    else:
        ends = right.outputs.get(OUTPUT), actual.outputs.get(OUTPUT)
    if x is None or y is None or ends[0] is None or ends[1] is None:
        return []
    left, other = (
        {name for z in turned(end, start) for name in activations(start, z)}
        for start, end in ((x, ends[0]), (y, ends[1]))
    )
    if not left or not other or left & other:
        return []
    bound = BOUNDS["ReLU6"] if "ReLU6" in left ^ other and "ReLU" in left ^ other else ""
    texts = (" or ".join(sorted(named)) for named in (left, other))
    return [" against ".join(texts) + (f": {bound}" if bound else "")]


def of_order(
    first: Live, second: Live, matching: Matching, arrays: Arrays, xs: Sequence[np.ndarray], right: Observed
) -> list[str]:
    """The orders of arrays' numbers with which the second's layers compute what the first's do."""
    found = orders.ordered(first, second, matching, arrays, xs, right)[0].orders
    new = {name: order for name, order in found.items() if name not in matching.orders}
    return [f"array `{name}` has its numbers in another order in the second: {o.text}" for name, o in new.items()]

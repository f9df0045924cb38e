"""Which layer of a file is which, where the order of the file proves nothing.

A file of weights has its layers in the order of definition, sorted as text (safetensors; a pytree after one
``jax.tree.map``: ``layers.10`` before ``layers.2``), or in any other. So layers of one kind and shape are told apart by
their names alone: by names that fit already, by the numbers in names, and a norm by the convolution beside it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from common.port.alignment import BY_NAMES, Alignment, Leaf, NameMap, align, natural

Part = tuple[str, tuple[int, ...]]  # of a path: its text without numbers, and its numbers


def align_file(first: Sequence[Leaf], second: Sequence[Leaf], names: NameMap | None = None) -> Alignment:
    """Matches the layers ``second`` of a file with ``first``, which are in the network's order.

    A layer that only the order of the file tells apart from another is a doubt; so is one that the order of the file
    and the names place differently.

    Raises:
        PortError: as `align` does.
    """
    guess, named = align(first, second, names), dict(names or {})
    one = [leaf for leaf in first if leaf.name not in named]
    other = [leaf for leaf in second if leaf.name not in named.values()]
    fitting = named | _by_name(one, other)
    pairs = fitting | _by_evidence(one, other, fitting)
    orders_differ = guess.how != BY_NAMES and not _sorted_as_text([leaf.name for leaf in second])
    doubtful = [
        leaf
        for leaf in one
        if leaf.name not in pairs
        or (orders_differ and leaf.name not in fitting and pairs[leaf.name] != guess.names[leaf.name])
    ]
    how = guess.how if pairs == guess.names else "by their names"
    pairs = _completed(pairs, one, other, guess.names)
    return Alignment(pairs, how, tuple(_doubts(doubtful, pairs)))


def _completed(pairs: NameMap, first: Sequence[Leaf], second: Sequence[Leaf], guess: NameMap) -> NameMap:
    """``pairs`` with a guess for the layers that nothing identifies."""
    signatures = {leaf.name: leaf.signature for leaf in first}
    position = {name: i for i, name in enumerate(guess.values())}
    pairs = dict(pairs)
    for leaf in sorted(second, key=lambda leaf: position[leaf.name]):
        if leaf.name not in pairs.values():
            pairs[next(name for name in signatures if name not in pairs and signatures[name] == leaf.signature)] = (
                leaf.name
            )
    return {name: pairs[name] for name in guess}


def _doubts(doubtful: Sequence[Leaf], names: NameMap) -> list[str]:
    classes: defaultdict[str, list[str]] = defaultdict(list)
    for leaf in doubtful:
        classes[leaf.form].append(f"`{names[leaf.name]}`")
    return [f"{', '.join(layers)} could be exchanged: each is {form}" for form, layers in classes.items()]


def _sorted_as_text(names: list[str]) -> bool:
    return names == sorted(names) or names == sorted(names, key=lambda name: name.split("."))


def _family(name: str) -> tuple[str, ...]:
    return tuple(_part(component)[0] for component in name.split("."))


def _part(component: str) -> Part:
    """``conv2_d_1`` is ``conv#_d`` with 2 and 1, ``conv2_d``, which comes first, with 2 and -1; ``conv3x3`` is text."""
    match = re.fullmatch(r"(.*?)(?:_(\d+))?", component)
    assert match is not None
    if re.search(r"\dx\d", component):
        return component, ()
    numbers = (*map(int, re.findall(r"\d+", match[1])), int(match[2] or -1))
    return re.sub(r"\d+", "#", match[1]), numbers


def _in_order(names: Sequence[str]) -> bool:
    """Whether the numbers in the names alone decide their natural order."""

    def decided(one: str, other: str) -> bool:
        parts = zip(one.split("."), other.split("."), strict=False)
        first_two = next(((_part(a), _part(b)) for a, b in parts if a != b), None)
        return first_two is not None and first_two[0][0] == first_two[1][0]

    return all(decided(one, other) for one, other in pairwise(names))


def _classes(layers: Sequence[Leaf]) -> dict[object, list[str]]:
    classes: defaultdict[object, list[str]] = defaultdict(list)
    for leaf in layers:
        classes[leaf.signature].append(leaf.name)
    return classes


def _by_name(first: Sequence[Leaf], second: Sequence[Leaf]) -> NameMap:
    """The layers that have their names already.

    Numbers count only where both have the same: ``0, 1, 2`` are not ``0, 2, 4``, which share two names.
    """
    theirs = _classes(second)
    pairs: NameMap = {}
    for signature, names in _classes(first).items():
        for family in {_family(name) for name in names}:
            same = [{name for name in side if _family(name) == family} for side in (names, theirs[signature])]
            if same[0] == same[1]:
                pairs |= {name: name for name in same[0]}
    return pairs


def _by_evidence(first: Sequence[Leaf], second: Sequence[Leaf], fitting: NameMap) -> NameMap:
    """The layers that numbers or a neighbour identify; convolutions first, because a norm is found by its own."""
    pairs = dict(fitting)
    neighbours = _neighbours(first), _neighbours(second)

    def by_neighbour() -> None:
        signatures = [{leaf.name: leaf.signature for leaf in side} for side in (first, second)]
        for one, beside in neighbours[0].items():
            other = neighbours[1].get(pairs.get(beside, ""), "")
            free = one not in pairs and other not in pairs.values()
            if free and other and signatures[0][one] == signatures[1][other]:
                pairs[one] = other

    def by_number(norms: bool) -> None:
        theirs = _classes([leaf for leaf in second if leaf.name not in pairs.values()])
        for signature, names in _classes([leaf for leaf in first if leaf.name not in pairs]).items():
            ordered = sorted(theirs[signature], key=natural)
            is_norm = signature[0] == "norm"  # pyright: ignore[reportIndexIssue]
            if is_norm == norms and len(ordered) == len(names) and _in_order(ordered):
                pairs.update(zip(names, ordered, strict=True))

    by_neighbour()
    by_number(norms=False)
    by_neighbour()
    by_number(norms=True)
    by_neighbour()
    return pairs


def _neighbours(layers: Sequence[Leaf]) -> dict[str, str]:
    """The norm of a convolution or linear layer with the same parent, and the reverse, where the names say it."""
    groups: defaultdict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for leaf in layers:
        if leaf.kind != "other":
            groups[leaf.name.rpartition(".")[0]][leaf.kind == "norm"].append(leaf.name)
    pairs = [pair for convs, norms in groups.values() for pair in _couples(convs, norms)]
    return dict(pairs) | {norm: conv for conv, norm in pairs}


def _couples(convs: list[str], norms: list[str]) -> list[tuple[str, str]]:
    """The convolutions and norms of one parent that belong together.

    ``conv1`` has ``bn1`` only if each convolution has a norm: otherwise people may number the norms by themselves.
    """
    own = {name: name.rpartition(".")[2] for name in (*convs, *norms)}
    if all(name.isdigit() for name in own.values()):
        order, couples = sorted(own, key=natural), []
        for one, other in pairwise(order):
            if one in convs and other in norms:
                couples.append((one, other))
        return couples
    if len(convs) == len(norms) == 1:
        return [(convs[0], norms[0])]
    begun = [(conv, norm) for conv in convs for norm in norms if re.match(rf"{own[conv]}(?!\d)", own[norm])]
    counts = Counter(name for pair in begun for name in pair)
    if begun and set(counts.values()) == {1}:
        return begun
    if len(convs) != len(norms):
        return []
    words = {name: re.findall(r"\d+|[A-Za-z][a-z]*", local) for name, local in own.items()}
    scores = np.array([[_shared(words[conv], words[norm]) for norm in norms] for conv in convs])
    best = (scores == scores.max(0)) & (scores == scores.max(1, keepdims=True)) & (scores > 0)
    alone = (scores == scores.max(0)).sum(0).max() == (scores == scores.max(1, keepdims=True)).sum(1).max() == 1
    return [(convs[i], norms[j]) for i, j in np.argwhere(best)] if alone and best.sum() == len(convs) else []


def _shared(one: list[str], other: list[str]) -> int:
    """How many words and numbers two names begin or end with alike."""

    def alike(a: list[str], b: list[str]) -> int:
        return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))

    return alike(one, other) + alike(one[::-1], other[::-1])

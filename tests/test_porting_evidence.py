"""Names and numbers tell the layers of a file apart, or the port is refused: two layers are never exchanged."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from common.layers.values import Shape
from common.port.alignment import leaves
from common.port.evidence import align_file

Layer = tuple[int, int, int, str, Shape]  # stage, block and place of its convolution; what it is; the weight's shape
WORDS = ["amber", "basin", "cedar", "delta", "ember", "fjord", "grove"]


def network(rng: np.random.Generator) -> list[Layer]:
    """Convolutions of few shapes, in order, in stages of one block that repeats; each may have a norm."""
    layers: list[Layer] = []
    for stage in range(rng.integers(1, 4)):
        units = [(int(rng.choice([1, 3])), bool(rng.random() < 0.8)) for _ in range(rng.integers(1, 4))]
        for block in range(rng.choice([1, 2, 12])):
            for place, (kernel, norm) in enumerate(units):
                layers.append((stage, block, place, "conv", (4, 4, kernel, kernel)))
                if norm:
                    layers.append((stage, block, place, "norm", (4,)))
    return layers


# Each way to name them; the first is the spec's.
def of_spec(layers: list[Layer]) -> list[str]:
    return [f"stages.{s}.{b}.{'abc'[place]}.{kind}" for s, b, place, kind, _ in layers]


def of_wrapped(layers: list[Layer]) -> list[str]:
    return [f"model.backbone.{name}" for name in of_spec(layers)]


def of_torch(layers: list[Layer]) -> list[str]:
    kinds = {"conv": "conv", "norm": "bn"}
    return [f"layer{s + 1}.{b}.{kinds[kind]}{place + 1}" for s, b, place, kind, _ in layers]


def of_sequential(layers: list[Layer]) -> list[str]:
    return [f"features.{s}.{b}.{3 * place + (kind == 'norm')}" for s, b, place, kind, _ in layers]


def of_linen(layers: list[Layer]) -> list[str]:
    counts = {"conv": itertools.count(), "norm": itertools.count()}
    names = {"conv": "Conv_{}", "norm": "BatchNorm_{}"}
    return [names[kind].format(next(counts[kind])) for *_, kind, _ in layers]


def of_keras(layers: list[Layer]) -> list[str]:
    return [name.replace("_0", "") for name in of_linen(layers)]


def by_words(layers: list[Layer]) -> list[str]:
    return [f"{WORDS[s]}.{b}.{WORDS[-1 - place]}.{kind}" for s, b, place, kind, _ in layers]


def by_parts(layers: list[Layer]) -> list[str]:
    kinds = {"conv": "{}_conv", "norm": "{}_norm"}
    return [f"{s}.{b}.{kinds[kind].format(WORDS[-1 - place])}" for s, b, place, kind, _ in layers]


NAMES: list[Callable[[list[Layer]], list[str]]] = [
    of_spec,
    of_wrapped,
    of_torch,
    of_sequential,
    of_linen,
    of_keras,
    by_words,
    by_parts,
]


def norms_last(names: list[str], rng: np.random.Generator) -> list[str]:
    return sorted(names, key=lambda name: ("norm" in name.lower() or "bn" in name, names.index(name)))


ORDERS: dict[str, Callable[[list[str], np.random.Generator], list[str]]] = {
    "definition": lambda names, rng: names,
    "text": lambda names, rng: sorted(names),
    "tree": lambda names, rng: sorted(names, key=lambda name: name.split(".")),
    "reverse": lambda names, rng: names[::-1],
    "norms last": norms_last,
    "shuffled": lambda names, rng: list(rng.permutation(names)),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("rule", NAMES, ids=lambda rule: rule.__name__)
def test_every_layer_is_found_or_refused(rule: Callable[[list[Layer]], list[str]], order: str) -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(12):
        layers = network(rng)
        right = dict(zip(of_spec(layers), rule(layers), strict=True))
        shapes = {f"{name}.weight": shape for name, (*_, shape) in zip(right, layers, strict=True)}
        back = {name: spec_name for spec_name, name in right.items()}
        stored = {f"{n}.weight": shapes[f"{back[n]}.weight"] for n in ORDERS[order](list(right.values()), rng)}
        alignment = align_file(leaves(shapes), leaves(stored))
        assert sorted(alignment.names.values()) == sorted(right.values())
        if not alignment.doubts:
            assert alignment.names == right
            found += 1
    assert found >= (12 if rule in (of_spec, of_wrapped) else 6 if rule not in (by_words, by_parts) else 0)


def test_numbers_of_a_file_that_disagree_with_its_order_are_a_doubt() -> None:
    first = leaves({f"{name}.weight": (4, 4) for name in "abc"})
    alignment = align_file(first, leaves({f"layer{i}.weight": (4, 4) for i in (2, 0, 1)}))
    assert alignment.doubts == ("`layer0`, `layer1`, `layer2` could be exchanged: each is linear: weight (4, 4)",)
    as_text = sorted(f"layer{i}.weight" for i in range(11))
    first = leaves({f"{i}.weight": (4, 4) for i in range(11)})
    alignment = align_file(first, leaves(dict.fromkeys(as_text, (4, 4))))
    assert alignment.names == {f"{i}": f"layer{i}" for i in range(11)}
    assert not alignment.doubts


def test_what_numbers_share_by_chance_is_no_name_that_fits() -> None:
    """A list of layers and a sequence with activations between: 0, 1, 2 are 0, 2, 4."""
    one, other = (leaves({f"net.{i}.weight": (4, 4) for i in numbers}) for numbers in ((0, 1, 2), (0, 2, 4)))
    assert align_file(one, other).names == {"net.0": "net.0", "net.1": "net.2", "net.2": "net.4"}


def test_a_norm_goes_with_its_convolution_and_not_by_its_number() -> None:
    """The branch that this network runs first is the file's third: its norm has the shape of the two others."""
    one, three, norm = (4, 4, 1, 1), (4, 4, 3, 3), (4,)
    first = {"skip": one, "skip_norm": norm, "a": three, "a_norm": norm, "b": three, "b_norm": norm}
    stored = {"bn1": norm, "bn2": norm, "bn3": norm, "conv1": three, "conv2": three, "conv3": one}
    ours, theirs = (leaves({f"{name}.weight": shape for name, shape in side.items()}) for side in (first, stored))
    alignment = align_file(ours, theirs)
    assert alignment.names["skip_norm"] == "bn3"
    assert list(alignment.names.values()) == ["conv3", "bn3", "conv1", "bn1", "conv2", "bn2"]
    assert not alignment.doubts

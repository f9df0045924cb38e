"""Weights with names of their own are ported by the order and the shapes of layers, and a doubt refuses."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import frameworks
from common.port.alignment import align, leaves, load_map, renamed
from common.port.weights import PortError, fit
from common.spec import BlockSpec
from common.spec.catalogue import block
from common.spec.params import Arrays, randomised
from report.port import weights
from report.port.weights import port
from tests.support.weights import TINY, TINY_OPTIONS, bits, write
from tests.test_cli import status

pytestmark = pytest.mark.usefixtures("port_here")


def foreign(spec: BlockSpec, reverse: bool = False) -> Arrays:
    """The spec's arrays under other names, ``layer0``, ``layer1``, ..., in the same or the opposite order."""
    layers = leaves({param.name: param.shape for param in spec.params()})
    arrays = renamed(randomised(spec), {f"layer{i}": leaf.name for i, leaf in enumerate(layers)})
    return dict(reversed(arrays.items())) if reverse else arrays


def aligned(spec: BlockSpec, arrays: Arrays, pairs: dict[str, str] | None = None) -> Any:
    shapes = {param.name: param.shape for param in spec.params()}
    return align(leaves(shapes), leaves({name: array.shape for name, array in arrays.items()}), pairs)


@pytest.mark.parametrize("reverse", [False, True])
def test_layers_are_found_by_their_order_and_shapes(reverse: bool) -> None:
    spec = block("separable_stack", in_channels=3, width=12, depth=12)
    alignment = aligned(spec, foreign(spec, reverse))
    assert not alignment.doubts
    assert alignment.how == ("in the order of their names" if reverse else "in the same order")
    assert list(alignment.names.values()) == [f"layer{i}" for i in range(len(alignment.names))]
    assert bits(fit(spec, renamed(foreign(spec, reverse), alignment.names))) == bits(randomised(spec))


def test_branches_in_another_order_are_told_apart_by_their_norms() -> None:
    first = {"a.weight": (4, 3, 3, 3), "a_norm.weight": (4,), "b.weight": (4, 3, 1, 1), "b_norm.weight": (4,)}
    second = {"y.weight": (4, 3, 1, 1), "y_norm.weight": (4,), "x.weight": (4, 3, 3, 3), "x_norm.weight": (4,)}
    alignment = align(leaves(first), leaves(second))
    assert alignment.names == {"a": "x", "a_norm": "x_norm", "b": "y", "b_norm": "y_norm"}


def test_what_is_not_certain_is_said() -> None:
    shapes = {"a.weight": (4, 4), "b.weight": (4, 4), "c.weight": (2, 4)}
    alignment = align(leaves(shapes), leaves({"z.weight": (2, 4), "y.weight": (4, 4), "zz.weight": (4, 4)}))
    assert alignment.how.startswith("each with its norm")
    shapes |= {"n.weight": (4,), "m.running_mean": (4,)}
    other = {"1.weight": (4,), "2.weight": (2, 4), "3.weight": (4, 4), "4.running_mean": (4,), "5.weight": (4, 4)}
    alignment = align(leaves(shapes), leaves(other))
    assert [doubt.split(" ")[0] for doubt in alignment.doubts] == ["`a`", "`b`"]


def test_layers_without_partner_are_all_listed() -> None:
    spec = block("conv_bn_act", in_channels=3, out_channels=4)
    with pytest.raises(PortError, match="the layers do not match") as caught:
        aligned(spec, foreign(TINY))  # a bias more
    assert caught.value.details == (
        "`conv` (conv: weight (4, 3, 3, 3)) stands where the other has `layer0` (conv: bias (4,), weight (4, 3, 3, 3))",
    )


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"conv": "layer7"}, "the map names `layer7`, which is no layer; nearest is `layer1`"),
        ({"cnv": "layer0"}, "the map names `cnv`, which is no layer; nearest is `conv`"),
        ({"conv": "layer1"}, r"the map pairs `conv` \(conv"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(pairs: dict[str, str], message: str) -> None:
    with pytest.raises(PortError, match=message):
        aligned(TINY, foreign(TINY), pairs)


def test_a_map_that_gives_two_arrays_one_name_is_refused() -> None:
    with pytest.raises(PortError, match=r"by the map `norm\.weight` is there twice"):
        renamed(randomised(TINY), {"norm": "conv"})


@pytest.mark.needs("torch")
def test_a_map_is_written_read_and_may_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out, names_file = write("torch", tmp_path / "w.pt", foreign(TINY)), tmp_path / "o.pt", tmp_path / "map.json"
    arguments = ["port", str(path), "--from", "torch", "--to", "torch", *TINY_OPTIONS, "-o", str(out)]
    assert status(*arguments, "--align", "--save-map", str(names_file)) == 0
    assert "matched 2 layers in the same order\n" in capsys.readouterr().out
    assert load_map(names_file) == {"conv": "layer0", "norm": "layer1"}
    assert bits(weights.read("torch", out)[0]) == bits(randomised(TINY))
    out.unlink()
    assert status(*arguments, "--map", str(names_file)) == 0
    assert "  conv <- layer0\n" in capsys.readouterr().out
    names_file.write_text(json.dumps({"conv": "layer1"}))
    out.unlink()
    assert status(*arguments, "--map", str(names_file)) == 2
    assert not out.exists()


@pytest.mark.needs("paddle")
def test_paddles_own_mobilenet_is_ported_by_structure(tmp_path: Path) -> None:
    import paddle

    published = paddle.vision.models.mobilenet_v1(scale=0.25, num_classes=10)
    paddle.save(published.state_dict(), str(tmp_path / "w.pdparams"))
    options = {"alpha": 0.25, "classes": 10, "bias": False, "pool_size": 1}
    out = tmp_path / "o.pdparams"
    arguments: dict[str, Any] = {"from_": "paddle", "to": "paddle", "block": "mobilenet_v1", "options": options}
    ported = port(tmp_path / "w.pdparams", out, **arguments, by_structure=True)
    assert ported.names["blocks.3.pointwise.conv"] == "conv3_2._pointwise_conv.0"
    assert np.array_equal(ported.arrays["stem.conv.weight"], published.conv1[0].weight.numpy())
    assert re.match("matched 55 layers in the same order", ported.notes[0])
    # As Paddle starts it, in evaluation mode nothing reaches the end.
    assert "; `mobilenet_v1` computes the reference with them (input " in ported.notes[1]
    assert ported.notes[1].endswith("), but its output is almost constant, which proves little")
    assert re.match("not verified: that the code which the file belongs to computes this block", ported.notes[2])


@pytest.mark.needs("torch", "flax", modules=("pytorchcv",))
def test_a_published_torch_mobilenet_is_ported_by_structure_though_its_file_is_sorted_by_name(tmp_path: Path) -> None:
    from pytorchcv.models.mobilenet import mobilenet_wd4
    from safetensors.torch import save_file

    published = mobilenet_wd4().state_dict()
    save_file(dict(sorted(published.items())), tmp_path / "w.safetensors")
    arguments: dict[str, Any] = {"from_": "torch", "to": "flax", "block": "mobilenet_v1", "by_structure": True}
    options = {"alpha": 0.25, "bias": False, "pool_size": 1}
    ported = port(tmp_path / "w.safetensors", tmp_path / "o.msgpack", **arguments, options=options)
    assert ported.names["blocks.3.pointwise.norm"] == "features.stage3.unit1.pw_conv.bn"
    stored, _ = weights.read("flax", tmp_path / "o.msgpack")
    assert np.array_equal(stored["stem.conv.weight"], published["features.init_block.conv.weight"].numpy())


@pytest.mark.needs("torch", "flax")
def test_a_linen_checkpoint_is_ported_by_structure(tmp_path: Path) -> None:
    from flax import serialization

    arrays = frameworks.part("flax", "layout").to_native(randomised(TINY))
    state = {
        "step": np.array(7),
        "params": {
            "Conv_0": {name: arrays[f"conv.{name}"] for name in ("kernel", "bias")},
            "BatchNorm_0": {name: arrays[f"norm.{name}"] for name in ("scale", "bias")},
        },
        "batch_stats": {"BatchNorm_0": {name: arrays[f"norm.{name}"] for name in ("mean", "var")}},
    }
    (tmp_path / "w.msgpack").write_bytes(serialization.msgpack_serialize(state))
    options = {"in_channels": 3, "out_channels": 4, "bias": True}
    arguments: dict[str, Any] = {"block": "conv_bn_act", "options": options, "by_structure": True}
    ported = port(tmp_path / "w.msgpack", tmp_path / "o.pt", from_="flax", to="torch", **arguments)
    assert bits(ported.arrays) == bits(randomised(TINY))
    assert ported.notes[0] == "left out what is not weights: step"


@pytest.mark.needs("torch")
def test_what_is_not_certain_is_not_written_but_the_guess_is_if_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"in_channels": 3, "width": 6, "depth": 3}
    spec = block("conv_stack", **options)
    names_of = ["z.conv", "z.norm", "b.conv", "b.norm", "a.norm", "a.conv"]  # the first conv in no order comes first
    layers = leaves({param.name: param.shape for param in spec.params()})
    arrays = renamed(randomised(spec), dict(zip(names_of, (leaf.name for leaf in layers), strict=True)))
    order = ["b.conv", "b.norm", "z.conv", "a.norm", "z.norm", "a.conv"]
    shuffled = {name: arrays[name] for path in order for name in arrays if name.startswith(f"{path}.")}
    path, guess = write("torch", tmp_path / "w.pt", shuffled), tmp_path / "guess.json"
    assignments = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    arguments = [str(path), "--from", "torch", "--to", "torch", "--block", "conv_stack", *assignments, "--align"]
    assert status("port", *arguments, "--save-map", str(guess), "-o", str(tmp_path / "o.pt")) == 2
    printed = capsys.readouterr().err.splitlines()
    assert (
        printed[0]
        == f"convparity: which layer is which is not certain: give the right names with --map (a guess is in {guess})"
    )
    norm = "norm: bias (6,), running_mean (6,), running_var (6,), weight (6,)"  # `a.conv` is one
    assert printed[1:] == [
        f"  `z.norm`, `a.conv`, `b.norm` could be exchanged: each is {norm}",
        "  `a.norm`, `b.conv` could be exchanged: each is conv: weight (6, 6, 3, 3)",
    ]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["guess.json", "w.pt"]
    right = dict(zip((leaf.name for leaf in layers), names_of, strict=True))
    guess.write_text(json.dumps(right))
    assert status("port", *arguments, "--map", str(guess), "-o", str(tmp_path / "o.pt")) == 0
    assert bits(weights.read("torch", tmp_path / "o.pt")[0]) == bits(randomised(spec))

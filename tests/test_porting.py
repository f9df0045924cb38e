"""Weights move between any two frameworks bit for bit, and what cannot be moved is refused with nothing written."""

import itertools
import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convparity
import frameworks
from common.port.alignment import align, leaves, load_map, renamed
from common.port.weights import PortError, fit
from common.protocols import Backend
from common.spec import BlockSpec
from common.spec.catalogue import CATALOGUE, block, names
from common.spec.params import Arrays, randomised
from report.port import weights
from report.port.weights import options_of, port, sample_shape
from tests.conftest import require
from tests.test_cli import status

OPTIONS = {name: dict(entry.cases[-1].spec.options) for name, entry in CATALOGUE.items()}  # the last is a small one
TINY = block("conv_bn_act", in_channels=3, out_channels=4, bias=True)
TINY_OPTIONS = ["--block", "conv_bn_act", "--set", "in_channels=3", "--set", "out_channels=4", "--set", "bias=true"]
VERIFIED: dict[tuple[str, str], dict[str, bytes]] = {}


def suffixes() -> list[tuple[str, str]]:
    """Every format of every framework, as they are documented; a framework's own list is held against it below."""
    trees = ("", ".msgpack", ".npz", ".safetensors")
    rows = {"torch": (".pt", ".pth", ".safetensors"), "paddle": (".pdparams", ".safetensors")}
    return [(name, suffix) for name, own in (rows | {"jax": trees, "flax": trees}).items() for suffix in own]


def write(backend: str, path: Path, arrays: Arrays) -> Path:
    frameworks.part(backend, "files").write(path, frameworks.part(backend, "layout").to_native(arrays))
    return path


def bits(arrays: Arrays) -> dict[str, tuple[object, ...]]:
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}


@pytest.mark.parametrize("pair", list(itertools.permutations(frameworks.BACKENDS, 2)), ids="-".join)
@pytest.mark.parametrize("family", OPTIONS)
def test_every_pair_round_trips_and_computes_the_same(
    pair: tuple[str, str], family: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block is built once in each target framework; from every other source the very same bits must arrive."""
    source, target = pair
    for name in pair:
        require(request.config, name)
    spec = block(family, **OPTIONS[family])
    arrays = randomised(spec)
    formats = [dict.fromkeys(suffix for name, suffix in suffixes() if name == backend) for backend in pair]
    there, back = (list(listed)[names().index(family) % len(listed)] for listed in formats)
    verified = weights._verified

    def once(backend: str, spec: BlockSpec, arrays: Arrays) -> str:
        key, stored = (backend, spec.family), {name: array.tobytes() for name, array in arrays.items()}
        if key not in VERIFIED:
            verified(backend, spec, arrays)
            VERIFIED[key] = stored
        assert VERIFIED[key] == stored
        return "verified"

    monkeypatch.setattr(weights, "_verified", once)
    first = write(source, tmp_path / f"first{there}", arrays)
    port(first, tmp_path / f"second{back}", from_=source, to=target, block=family, options=OPTIONS[family])
    again = tmp_path / f"third{there}"
    port(tmp_path / f"second{back}", again, from_=target, to=source, block=family, options=OPTIONS[family])
    arrived, _ = weights.read(source, again)
    assert bits(arrived) == bits(arrays)
    original, _ = frameworks.part(source, "files").read(first)
    final, _ = frameworks.part(source, "files").read(again)
    assert bits(final) == bits(original)


@pytest.mark.parametrize(("name", "suffix"), suffixes())
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_format_keeps_every_bit(
    name: str, suffix: str, dtype: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require(request.config, name)
    arrays = {key: array.astype(dtype) for key, array in randomised(TINY).items()}
    stored, notes = weights.read(name, write(name, tmp_path / f"w{suffix}", arrays))
    assert bits(stored) == bits(arrays)
    assert not notes


def test_the_formats_are_those_documented(backend: Backend) -> None:
    documented = {suffix for name, suffix in suffixes() if name == backend.NAME}
    assert set(frameworks.part(backend.NAME, "files").SUFFIXES) - {".orbax"} == documented


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_float64_and_float16_are_verified_too(target: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for name in ("torch", target):
        require(request.config, name)
    for dtype in ("float64", "float16"):
        arrays = {key: array.astype(dtype) for key, array in randomised(TINY).items()}
        source = write("torch", tmp_path / f"{dtype}.pt", arrays)
        options = {"in_channels": 3, "out_channels": 4, "bias": True}
        out = tmp_path / (dtype + frameworks.part(target, "files").SUFFIXES[-1])
        ported = convparity.port(source, out, from_="torch", to=target, block="conv_bn_act", options=options)
        assert bits(weights.read(target, out)[0]) == bits(ported) == bits(arrays)


@pytest.mark.needs("torch")
def test_torch_loads_what_is_written(tmp_path: Path) -> None:
    import torch

    path = write("torch", tmp_path / "w.pt", randomised(TINY, 1))
    built = frameworks.load("torch").build(TINY, randomised(TINY))
    built.native.load_state_dict(torch.load(path))  # strict
    assert bits(built.params()) == bits(randomised(TINY, 1))


@pytest.mark.needs("paddle")
def test_paddle_loads_what_is_written(tmp_path: Path) -> None:
    import paddle

    path = write("paddle", tmp_path / "w.pdparams", randomised(TINY, 1))
    built = frameworks.load("paddle").build(TINY, randomised(TINY))
    assert built.native.set_state_dict(paddle.load(str(path))) == ([], [])  # nothing missing, nothing unexpected
    assert bits(built.params()) == bits(randomised(TINY, 1))


@pytest.mark.needs("paddle")
def test_what_paddle_itself_saves_is_read(tmp_path: Path) -> None:
    import paddle

    built = frameworks.load("paddle").build(TINY, randomised(TINY))
    for protocol in (2, 4):
        paddle.save(built.native.state_dict(), str(tmp_path / "w.pdparams"), protocol=protocol)
        assert bits(weights.read("paddle", tmp_path / "w.pdparams")[0]) == bits(randomised(TINY))


@pytest.mark.needs("flax")
def test_flax_loads_what_is_written_and_what_it_saves_is_read(tmp_path: Path) -> None:
    from flax import nnx, serialization
    from orbax.checkpoint import StandardCheckpointer

    spec = block("conv_stack", in_channels=3, width=6, depth=2)
    path = write("flax", tmp_path / "w.msgpack", randomised(spec, 1))
    built = frameworks.load("flax").build(spec, randomised(spec))
    state = nnx.state(built.native)
    held: Any = serialization.msgpack_restore(path.read_bytes())
    nnx.replace_by_pure_dict(state, nnx.restore_int_paths(held))
    nnx.update(built.native, state)
    assert bits(built.params()) == bits(randomised(spec, 1))
    with StandardCheckpointer() as orbax:
        orbax.save(tmp_path / "state", nnx.state(built.native))
    assert bits(weights.read("flax", tmp_path / "state")[0]) == bits(built.params())


@pytest.mark.needs("jax")
def test_jax_loads_what_is_written(tmp_path: Path) -> None:
    import jax
    from orbax.checkpoint import StandardCheckpointer

    spec = block("separable_stack", in_channels=3, width=6, depth=2, affine=False)
    path = write("jax", tmp_path / "w", randomised(spec, 1))
    _, params, stats = frameworks.load("jax").build(spec, randomised(spec, 1)).native
    with StandardCheckpointer() as orbax:
        restored = orbax.restore(path)
    assert jax.tree.structure(restored) == jax.tree.structure({"params": params, "stats": stats})


@pytest.mark.needs("torch")
def test_what_training_scripts_put_around_a_state_dict_is_taken_off_and_said(tmp_path: Path) -> None:
    import torch

    state = {f"module.{name}": torch.tensor(array) for name, array in randomised(TINY).items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "w.pt")
    loaded, notes = weights.read("torch", tmp_path / "w.pt")
    assert bits(loaded) == bits(randomised(TINY))
    assert notes == ["took `state_dict` and left out epoch", "took `module.` of DataParallel off the names"]


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch ran",)


def _torch(path: Path, **changes: Any) -> Path:
    import torch

    state = {name: torch.tensor(array) for name, array in randomised(TINY).items()}
    torch.save(state | changes, path)
    return path


def _cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-100])
    return path


def _pickled(path: Path, value: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


def _object_array(path: Path) -> Path:
    np.savez(path, **{"conv.kernel": np.array([Hostile()], object)})  # type: ignore[arg-type]
    return path


def _hostile_zip(path: Path) -> Path:
    return _torch(path, extra=Hostile())


REFUSED = {
    "torch hostile": ("torch", "w.pt", _hostile_zip, "it asks for `posix.system`"),
    "torch hostile plain": (
        "torch",
        "w.pth",
        lambda path: _pickled(path, {"a": Hostile()}),
        "it asks for `posix.system`",
    ),
    "torch module": ("torch", "w.pt", lambda path: _whole_module(path), "it asks for `torch.nn.modules.linear.Linear`"),
    "torch cut": ("torch", "w.pt", lambda path: _cut(_torch(path)), "damaged, or not of torch (RuntimeError: "),
    "torch garbage": ("torch", "w.pt", lambda path: _bytes(path), "a state dict of tensors is read"),
    "torch integers": ("torch", "w.pt", lambda path: _integers(path), "`conv.weight` is int32; weights are float16"),
    "torch bfloat16": ("torch", "w.pt", lambda path: _bfloat(path), "`conv.weight` is bfloat16, which NumPy has not"),
    "torch nan": ("torch", "w.pt", lambda path: _nan(path), "`conv.bias` holds numbers that are not finite"),
    "torch nothing": ("torch", "w.pt", lambda path: _empty(path), "it holds no arrays"),
    "torch text": ("torch", "w.pt", lambda path: _torch(path, note="hello"), "`note` is str, not a tensor"),
    "torch absent": ("torch", "w.pt", lambda path: path, "no such file"),
    "torch folder": ("torch", "w", lambda path: _folder(path), "torch has weights in .pt, .pth, .safetensors"),
    "torch suffix": ("torch", "w.bin", lambda path: _bytes(path), "has suffix `.bin`; torch has weights in .pt, .pth"),
    "paddle hostile": (
        "paddle",
        "w.pdparams",
        lambda path: _pickled(path, {"a": Hostile()}),
        "it asks for `posix.system`",
    ),
    "paddle hostile array": (
        "paddle",
        "w.pdparams",
        lambda path: _pickled(path, {"a": np.array([Hostile()], object)}, 4),
        "it asks for `posix.system`",
    ),
    "paddle cut": (
        "paddle",
        "w.pdparams",
        lambda path: _cut(_pickled(path, randomised(TINY))),
        "damaged, or not of paddle (",
    ),
    "paddle garbage": (
        "paddle",
        "w.pdparams",
        lambda path: _bytes(path),
        "damaged, or not of paddle (UnpicklingError: ",
    ),
    "paddle integers": (
        "paddle",
        "w.pdparams",
        lambda path: _pickled(path, {"conv.weight": np.ones(3, np.uint16)}),
        "`conv.weight` is uint16; weights are float16",
    ),
    "flax hostile": ("flax", "w.npz", _object_array, "Object arrays cannot be loaded when allow_pickle=False"),
    "flax msgpack cut": (
        "flax",
        "w.msgpack",
        lambda path: _cut(write("flax", path, randomised(TINY))),
        "damaged, or not of flax (",
    ),
    "flax msgpack garbage": ("flax", "w.msgpack", lambda path: _bytes(path), "cannot read "),
    "flax npz cut": ("flax", "w.npz", lambda path: _cut(write("flax", path, randomised(TINY))), "BadZipFile"),
    "flax orbax cut": ("flax", "w", lambda path: _folder(path), "damaged, or not of flax ("),
    "flax safetensors cut": (
        "flax",
        "w.safetensors",
        lambda path: _cut(write("flax", path, randomised(TINY))),
        "Error",
    ),
}


def _bytes(path: Path) -> Path:
    path.write_bytes(bytes(range(256)) * 4)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    (path / "_METADATA").write_text("{")
    return path


def _whole_module(path: Path) -> Path:
    import torch

    torch.save(torch.nn.Linear(2, 2), path)
    return path


def _integers(path: Path) -> Path:
    import torch

    return _torch(path, **{"conv.weight": torch.ones((4, 3, 3, 3), dtype=torch.int32)})


def _bfloat(path: Path) -> Path:
    import torch

    return _torch(path, **{"conv.weight": torch.ones((4, 3, 3, 3), dtype=torch.bfloat16)})


def _nan(path: Path) -> Path:
    import torch

    return _torch(path, **{"conv.bias": torch.full((4,), float("nan"))})


def _empty(path: Path) -> Path:
    import torch

    torch.save({}, path)
    return path


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused_in_one_line_with_nothing_written_or_run(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    backend, name, make, message = REFUSED[case]
    require(request.config, backend)
    monkeypatch.chdir(tmp_path)
    make(tmp_path / name)
    there = sorted(tmp_path.rglob("*"))
    out = tmp_path / ("out" + frameworks.part(backend, "files").SUFFIXES[-1])
    arguments = [str(tmp_path / name), "--from", backend, "--to", backend, *TINY_OPTIONS, "-o", str(out)]
    assert status("port", *arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("convparity: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert "weights_only" not in printed.err  # no advice to run it after all
    assert sorted(tmp_path.rglob("*")) == there


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--block": "conv_bn_act_"}, "unknown block `conv_bn_act_`; choose from standard_conv, "),
        ({"--to": "tensorflow"}, "unknown backend `tensorflow`; choose from torch, paddle, jax, flax"),
        ({"--set": "out_chanels=4"}, "`out_chanels` is not an option of `conv_bn_act`; choose from in_channels, "),
        ({"--set": "in_channels=three"}, "`in_channels` (='three') must be an integer"),
        ({"--set": "in_channels"}, "`--set in_channels` must be --set KEY=VALUE"),
        ({"-o": "out.pkl"}, "out.pkl has suffix `.pkl`; torch has weights in .pt, .pth, .safetensors"),
        ({"-o": "nowhere/out.pt"}, "cannot write nowhere/out.pt: there is no folder nowhere"),
        ({"--map": "none.json"}, "cannot read the map none.json: No such file or directory"),
    ],
    ids=["block", "backend", "option", "value", "assignment", "suffix", "folder", "map"],
)
@pytest.mark.needs("torch")
def test_bad_arguments_are_refused_in_one_line(
    changes: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    _torch(tmp_path / "w.pt")
    right = {"--from": "torch", "--to": "torch", "--block": "conv_bn_act", "--set": "in_channels=3", "-o": "out.pt"}
    arguments = [part for pair in (right | changes).items() for part in pair]
    assert status("port", "w.pt", *arguments, "--set", "out_channels=4", "--set", "bias=true") == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"convparity: {message}")
    assert printed.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["w.pt"]


@pytest.mark.needs("torch")
def test_names_that_do_not_fit_are_listed_with_their_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = randomised(TINY)
    arrays["conv.wieght"] = arrays.pop("conv.weight")
    arrays["norm.bias"] = np.ones(5, np.float32)
    path = write("torch", tmp_path / "w.pt", arrays)
    assert (
        status("port", str(path), "--from", "torch", "--to", "torch", *TINY_OPTIONS, "-o", str(tmp_path / "o.pt")) == 2
    )
    assert capsys.readouterr().err.splitlines() == [
        "convparity: the arrays do not fit `conv_bn_act`: 1 missing, 1 unexpected, 1 mis-shaped",
        "  missing `conv.weight` (4, 3, 3, 3) (nearest: `conv.wieght` (4, 3, 3, 3))",
        "  unexpected `conv.wieght` (4, 3, 3, 3) (nearest: `conv.weight` (4, 3, 3, 3))",
        "  `norm.bias` has shape (5,), not (4,)",
    ]
    assert [item.name for item in tmp_path.iterdir()] == ["w.pt"]


def test_the_wrong_block_lists_everything() -> None:
    spec = block("separable_stack", in_channels=3, width=6, depth=2)
    with pytest.raises(PortError) as caught:
        fit(spec, randomised(TINY))
    missing = [line for line in caught.value.details if line.startswith("missing ")]
    assert len(missing) == len(spec.params())
    assert len(caught.value.details) == len(missing) + len(randomised(TINY))


@pytest.mark.needs("torch")
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write("torch", tmp_path / "w.pt", randomised(TINY)), tmp_path / "out.pt"
    out.write_text("before")

    def fail(*arguments: object) -> str:
        raise PortError("no")

    options = {"in_channels": 3, "out_channels": 4, "bias": True}
    monkeypatch.setattr(weights, "_verified", fail)
    with pytest.raises(PortError):
        port(source, out, from_="torch", to="torch", block="conv_bn_act", options=options)
    assert out.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.needs("torch")
def test_a_target_that_computes_something_else_is_found_before_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write("torch", tmp_path / "w.pt", randomised(TINY))
    built = type(frameworks.load("torch").build(TINY, randomised(TINY)))
    forward = built.forward
    monkeypatch.setattr(built, "forward", lambda self, x: forward(self, x) + 1e-3)
    out = tmp_path / "out.pt"
    assert status("port", str(source), "--from", "torch", "--to", "torch", *TINY_OPTIONS, "-o", str(out)) == 1
    assert "torch with these weights: greatest abs difference 1.0e-03" in capsys.readouterr().err
    assert not out.exists()


def test_options_are_read_as_they_are_typed() -> None:
    options = options_of(["alpha=0.5", "bias=False", "pool_size=2,3", "padding=same", "sides=((0,1),(1,0))", "n=3"])
    assert options == {
        "alpha": 0.5,
        "bias": False,
        "pool_size": (2, 3),
        "padding": "same",
        "sides": ((0, 1), (1, 0)),
        "n": 3,
    }


@pytest.mark.parametrize("family", OPTIONS)
def test_every_block_can_be_verified_on_some_input(family: str) -> None:
    spec = block(family, **OPTIONS[family])
    assert spec.output_shape(sample_shape(spec))
    assert sample_shape(block("mobilenet_v1")) == (1, 3, 224, 256)


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
    assert ported.notes[1].endswith(
        "agrees with the reference, but is almost constant with these weights, which proves little"
    )


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
    assert len(printed) == 1 + 5
    assert printed[1].startswith("  `blocks.0.norm` (norm: ")
    assert printed[1].endswith(" could be any of 3")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["guess.json", "w.pt"]
    right = dict(zip((leaf.name for leaf in layers), names_of, strict=True))
    guess.write_text(json.dumps(right))
    assert status("port", *arguments, "--map", str(guess), "-o", str(tmp_path / "o.pt")) == 0
    assert bits(weights.read("torch", tmp_path / "o.pt")[0]) == bits(randomised(spec))

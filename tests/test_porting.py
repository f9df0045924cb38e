"""Weights move between any two frameworks bit for bit, and what does not fit is refused with nothing written."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convparity
import frameworks
from common.port.weights import PortError, fit
from common.protocols import Backend
from common.spec import BlockSpec
from common.spec.catalogue import block, names
from common.spec.params import Arrays, randomised
from report.port import weights
from report.port.assignments import options_of
from report.port.weights import port, sample_shape
from tests.conftest import require
from tests.support.weights import OPTIONS, TINY, TINY_OPTIONS, bits, suffixes, write
from tests.test_cli import status

pytestmark = pytest.mark.usefixtures("port_here")

VERIFIED: dict[tuple[str, str], dict[str, bytes]] = {}


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
    assert notes == ["left out what is no weight: `norm.num_batches_tracked`"] * (name == "torch")


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
    indices = {f"module.{name}": torch.arange(3) for name in ("table.index", "table.other")}
    torch.save({"epoch": 3, "state_dict": state | indices}, tmp_path / "w.pt")
    loaded, notes = weights.read("torch", tmp_path / "w.pt")
    assert bits(loaded) == bits(randomised(TINY))
    assert notes == [
        "took `state_dict` and left out epoch",
        "took `module.` of DataParallel off the names",
        "left out what is no weight: `table.index` and 1 more",
    ]


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

"""Files that are damaged, hostile or of something else, and bad arguments: one line, nothing written, nothing run."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import frameworks
from common.spec.params import randomised
from tests.conftest import require
from tests.support.weights import TINY, TINY_OPTIONS, write
from tests.test_cli import status

pytestmark = pytest.mark.usefixtures("port_here")


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
    "torch cut": ("torch", "w.pt", lambda path: _cut(_torch(path)), "damaged, or not of torch (BadZipFile: "),
    "torch garbage": ("torch", "w.pt", lambda path: _bytes(path), "damaged, or not of torch (ValueError: "),
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
        "damaged, or not of paddle (ValueError: ",
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
    "flax orbax cut": ("flax", "w", lambda path: _folder(path), "it has no metadata of Orbax"),
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
        ({"--block": "conv_bn_act_"}, "unknown block `conv_bn_act_`; did you mean `conv_bn_act`"),
        ({"--to": "tensorflow"}, "unknown backend `tensorflow`; choose from torch, paddle, jax, flax"),
        ({"--set": "out_chanels=4"}, "`out_chanels` is not an option of `conv_bn_act`; did you mean `in_channels` or "),
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

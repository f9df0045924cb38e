"""The weights of any network arrive in another bit for bit, if both compute the same: else nothing is written."""

from pathlib import Path
from typing import Any

import pytest

import convparity
from common.port.weights import Disagreement, PortError
from report.port import weights
from tests.conftest import require
from tests.support.networks import PAIRS, SHAPE, torch_decoder, torch_inverted, torch_residual
from tests.support.weights import bits
from tests.test_cli import status


def stored(net: Any, path: Path) -> Path:
    """A file of its weights, drawn at random, also the running statistics."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for value in net.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.1)
    torch.save(net.state_dict(), path)
    return path


@pytest.mark.needs("torch")
@pytest.mark.parametrize("pair", PAIRS)
def test_weights_go_there_and_back_bit_for_bit(pair: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    first, second = PAIRS[pair]
    name = {"linen": "flax"}.get(pair.split(", ")[1], pair.split(", ")[1])
    require(request.config, name)
    source = stored(first(), tmp_path / "w.pt")
    there = tmp_path / ("there" + {"paddle": ".pdparams", "flax": ".msgpack", "jax": ".npz"}[name])
    ported = convparity.port_module(first(), second(), SHAPE, source=source, destination=there)
    assert any(note.startswith("verified: both compute the same with the weights") for note in ported.notes)
    assert not any(note.startswith("not verified") for note in ported.notes)
    assert ported.notes[-1] == f"verified: every array reads back from {name}'s file bit for bit"
    convparity.port_module(second(), first(), SHAPE, source=there, destination=tmp_path / "back.pt")
    assert bits(weights.read("torch", tmp_path / "back.pt")[0]) == bits(weights.read("torch", source)[0])


@pytest.mark.needs("torch")
def test_torch_loads_what_is_written_and_computes_the_same(tmp_path: Path) -> None:
    import torch

    source = stored(torch_residual(), tmp_path / "w.pt")
    convparity.port_module(torch_residual(), torch_residual(), SHAPE, source=source, destination=tmp_path / "o.pt")
    nets = [torch_residual().eval() for _ in range(2)]
    for net, path in zip(nets, (source, tmp_path / "o.pt"), strict=True):
        net.load_state_dict(torch.load(path))  # strict
    x = torch.rand(SHAPE)
    assert torch.equal(nets[0](x), nets[1](x))


@pytest.mark.needs("torch")
def test_networks_that_do_not_compute_the_same_are_not_ported(tmp_path: Path) -> None:
    source = stored(torch_residual(), tmp_path / "w.pt")
    with pytest.raises(Disagreement, match="nothing is verified or written") as caught:
        convparity.port_module(
            torch_residual(), torch_residual(eps=1e-3), SHAPE, source=source, destination=tmp_path / "o.pt"
        )
    assert "first layer that differs: `0.bn1` (0.bn1)" in " ".join(caught.value.details)
    assert [path.name for path in tmp_path.iterdir()] == ["w.pt"]


def other_forms() -> Any:
    """The decoder with its kernels [out, in], not turned, and a flatten with the channels last; and a linear layer."""
    import torch
    from torch import nn

    class Up(nn.Module):
        def __init__(self, i: int, o: int) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(o, i, 2, 2)), nn.Parameter(torch.ones(o, 1, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.conv_transpose2d(x, self.weight.flip(2, 3).swapaxes(0, 1), stride=2) + self.bias

    class Flatten(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.permute(0, 2, 3, 1).flatten(1)

    ups = Up(4, 4), nn.ReLU(), Up(4, 3)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), *ups, nn.ReLU(), Flatten(), nn.Linear(3 * 12 * 8, 5))


@pytest.mark.needs("torch")
def test_other_forms_of_arrays_are_found_and_said() -> None:
    ported = convparity.port_module(torch_decoder(), other_forms(), SHAPE)
    assert [note for note in ported.notes if note.startswith("in another form")] == [
        "in another form ((3,) as (3, 1, 1)): `4.bias`",
        "in another form ((4,) as (4, 1, 1)): `2.bias`",
        "in another form (a transposed convolution's: turned by 180 degrees, in and out exchanged): "
        "`2.weight`, `4.weight`",
        "in another form (inputs after a flatten of 3 channels, which come last): `7.weight`",
    ]
    names = {name: name for name in "0247"}  # the second's: the first's
    back = convparity.port_module(other_forms(), torch_decoder(), SHAPE, names=names)
    assert back.state["4.weight"].shape == (4, 3, 2, 2)


@pytest.mark.needs("torch")
def test_what_the_output_does_not_depend_on_is_said_not_to_be_verified() -> None:
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Conv2d(3, 4, 3), nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            return self.used(x)

    notes = convparity.port_module(Net(), Net(), SHAPE).notes
    assert notes[-1] == "not verified, because the output does not depend on it: `unused`"


@pytest.mark.needs("torch")
def test_a_file_that_is_not_of_the_first_network_is_refused(tmp_path: Path) -> None:
    source = stored(torch_inverted(), tmp_path / "w.pt")
    with pytest.raises(PortError, match=r"w\.pt: the arrays do not fit the network: ") as caught:
        convparity.port_module(torch_residual(), torch_residual(), SHAPE, source=source)
    assert any(line.startswith("missing `0.conv1.weight` (4, 3, 3, 3)") for line in caught.value.details)


@pytest.mark.needs("torch")
def test_the_command_ports_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(__file__).parent / "support")
    source, out = str(stored(torch_residual(), tmp_path / "w.pt")), str(tmp_path / "o.safetensors")
    networks = ["--from-module", "networks.py:torch_residual", "--to-module"]
    assert status("port", source, *networks, "networks.py:torch_residual", "--training", "-o", out) == 0
    assert "(input 2x3x64x72), in evaluation and training\n" in capsys.readouterr().out
    assert bits(weights.read("torch", Path(out))[0]) == bits(weights.read("torch", Path(source))[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from-module", "a:b"], "Missing option '--to-module'"),
        (
            ["--from-module", "a:b", "--to-module", "a:b", "--align"],
            "Option '--align' does not go with '--from-module'",
        ),
        (["--from", "torch", "--to", "torch"], "Missing option '--block'"),
        (["--from", "torch", "--to", "torch", "--block", "b", "--training"], "Option '--training' does not go with"),
    ],
)
def test_a_block_or_two_networks_are_named(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("port", "in.pt", *options, "-o", "out.pt") == 2
    assert message in capsys.readouterr().err

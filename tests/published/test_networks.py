"""Networks of torchvision are ported to Paddle and Flax and back, bit for bit, and compute the same there."""

from pathlib import Path
from typing import Any

import pytest

import convparity
from report.port.stored import read
from tests.support.targets import NETWORKS, SHAPE
from tests.support.weights import bits

SUFFIXES = {"paddle": ".pdparams", "flax": ".msgpack"}


def one(output: Any) -> Any:
    return output["out"] if isinstance(output, dict) else output


@pytest.mark.parametrize("framework", SUFFIXES)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_published_network_goes_there_and_back(name: str, framework: str, tmp_path: Path) -> None:
    import torch

    make, others = NETWORKS[name]
    source, there, back = tmp_path / "source.pt", tmp_path / f"there{SUFFIXES[framework]}", tmp_path / "back.pt"
    net = make().eval()
    torch.save(net.state_dict(), source)
    ported = convparity.port_module(make(), others[framework](), SHAPE, source=source, destination=there)
    said = "verified: both compute the same with the weights that are ported, in evaluation"
    assert said in ported.notes
    assert not any(note.startswith("not verified") for note in ported.notes)
    convparity.port_module(others[framework](), make(), SHAPE, source=there, destination=back)
    assert bits(read("torch", back)[0]) == bits(read("torch", source)[0])
    x = torch.rand(SHAPE)
    right = one(net(x)).detach().numpy()
    again = make().eval()
    again.load_state_dict(torch.load(back))
    assert (one(again(x)).detach().numpy() == right).all()
    if framework == "paddle":  # as its users load it
        import paddle

        loaded = others[framework]()
        loaded.set_state_dict(paddle.load(str(there)))
        loaded.eval()
        answer = loaded(paddle.to_tensor(x.numpy())).numpy()
        assert abs(answer - right).max() < 1e-4 * abs(right).max()

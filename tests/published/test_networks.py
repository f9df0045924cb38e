"""Networks of torchvision are ported to Paddle and Flax, and back, bit for bit; what they return is compared."""

from pathlib import Path

import numpy as np
import pytest

import convparity
from report.port.stored import read
from tests.support.targets import NETWORKS, SHAPE
from tests.support.weights import bits

SUFFIXES = {"paddle": ".pdparams", "flax": ".msgpack"}


@pytest.mark.parametrize("framework", SUFFIXES)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_published_network_goes_there_and_back(name: str, framework: str, tmp_path: Path) -> None:
    import torch

    make, others = NETWORKS[name]
    source, there, back = tmp_path / "source.pt", tmp_path / f"there{SUFFIXES[framework]}", tmp_path / "back.pt"
    net = make().eval()
    torch.save(net.state_dict(), source)
    ported = convparity.port_module(make(), others[framework](), SHAPE, source=source, destination=there)
    assert not any(note.startswith("not verified") for note in ported.notes)
    convparity.port_module(others[framework](), make(), SHAPE, source=there, destination=back)
    assert bits(read("torch", back)[0]) == bits(read("torch", source)[0])
    again = make().eval()
    again.load_state_dict(torch.load(back))
    x = torch.rand(SHAPE)
    right, actual = net(x), again(x)
    assert torch.equal(*(y["out"] if isinstance(y, dict) else y for y in (right, actual)))
    assert np

"""Names and shapes that do not fit are refused before any number is read: here reading the numbers would fail."""

from pathlib import Path

import numpy as np
import pytest

from common.port.weights import PortError
from common.spec.catalogue import block
from common.spec.params import randomised
from report.port.stored import read
from report.port.weights import port
from tests.conftest import require
from tests.support.weights import TINY, write
from tests.unbreakable.test_trees import orbax

NUMBERS = np.float32(1 / 3).tobytes() * 8


def damaged(path: Path) -> None:
    """Changes numbers of a file, or cuts them off where a format has no checksum."""
    data = path.read_bytes()
    path.write_bytes(data[:-4] if path.suffix == ".safetensors" else data.replace(NUMBERS, bytes(len(NUMBERS))))
    assert path.read_bytes() != data


FORMATS = [("torch", ".pt"), ("torch", ".safetensors"), ("paddle", ".safetensors"), ("jax", ".npz"), ("flax", ".npz")]


@pytest.mark.parametrize(("owner", "suffix"), FORMATS)
def test_shapes_are_compared_before_numbers_are_read(
    owner: str, suffix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require(request.config, owner)
    arrays = randomised(block("conv_bn_act", in_channels=64, out_channels=4, bias=True))
    arrays["conv.weight"][:] = 1 / 3
    damaged(source := write(owner, tmp_path / f"w{suffix}", arrays))

    def ported(channels: int, **arguments: object) -> str:
        options = {"in_channels": 64, "out_channels": channels, "bias": True}
        given = {"from_": owner, "to": owner, "block": "conv_bn_act", "options": options} | arguments
        with pytest.raises(PortError) as caught:
            port(source, tmp_path / f"o{suffix}", **given)  # type: ignore[arg-type]
        return "\n".join([str(caught.value), *caught.value.details])

    assert "damaged" in ported(4)
    assert ported(5).startswith("the arrays do not fit `conv_bn_act`: 0 missing, 0 unexpected, 6 mis-shaped\n")
    assert "2 missing, 2 unexpected, 2 mis-shaped" in ported(4, names={"conv": "norm", "norm": "conv"})
    assert "`conv`" in ported(5, by_structure=True)
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


@pytest.mark.needs("jax")
def test_a_directory_that_aborts_its_reader_is_refused_by_its_shapes(tmp_path: Path) -> None:
    options = {"in_channels": 3, "out_channels": 4, "bias": True}
    source, out = orbax(tmp_path / "huge", 10**12), tmp_path / "o.npz"
    with pytest.raises(PortError, match="do not fit `conv_bn_act`: 6 missing, 1 unexpected, 0 mis-shaped"):
        port(source, out, from_="jax", to="jax", block="conv_bn_act", options=options)


@pytest.mark.parametrize("owner", ["torch", "paddle", "jax", "flax"])
def test_what_a_header_says_is_what_is_read(owner: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    require(request.config, owner)
    import frameworks

    for suffix in frameworks.part(owner, "files").SUFFIXES:
        path = write(owner, tmp_path / f"w{suffix}", randomised(TINY))
        (shells, said), (arrays, notes) = (read(owner, path, numbers=numbers) for numbers in (False, True))
        assert said == notes
        headers = [{name: (array.shape, array.dtype) for name, array in own.items()} for own in (shells, arrays)]
        assert headers[0] == headers[1]
        assert suffix == ".safetensors" or [*shells] == [*arrays]  # whose library gives arrays in no order

"""A pickle is data: what it names is never called, and it costs no more than its own size."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import frameworks
from common.port import pickles
from common.port.weights import PortError
from common.spec.params import randomised
from report.port.weights import read
from tests.conftest import require
from tests.support.weights import TINY, bits

ORDERED = b"ccollections\nOrderedDict\n(tR"
DTYPE = (
    b"cnumpy\ndtype\n(X\x02\x00\x00\x00f4\x89\x88tR(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
MADE = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"


def array(shape: bytes = b"(K\x02K\x01t", dtype: bytes = DTYPE, data: bytes = b"C\x08" + bytes(8)) -> bytes:
    """The opcodes of a NumPy array; by default of two numbers."""
    return MADE + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb"


def named(value: bytes) -> bytes:
    """A state dict with one value."""
    return b"\x80\x04}X\x01\x00\x00\x00w" + value + b"s."


def nested(levels: int) -> bytes:
    """A tuple of pairs of one tuple, whose hash takes 2 ** levels steps."""
    return b")q\x000" + b"h\x00h\x00\x86q\x000" * levels + b"h\x00"


PICKLES = {
    "code": (named(b"cposix\nsystem\n(X\x02\x00\x00\x00lstR"), "it asks for `posix.system`"),
    "a name with an escape": (named(b"c\x1b[31m\nx\n"), r"it asks for `\x1b[31m.x`"),
    "memory": (named(ORDERED + b"}X\x13\x00\x00\x00__array_interface__K\x00sb"), "BUILD on dict"),
    "a dict": (named(ORDERED), "`w` is dict, not an array"),
    "no numbers": (
        named(b"cnumpy\nndarray\n((K\x02tX\x02\x00\x00\x00f4tR"),
        "`w` is made by `numpy.ndarray` in an unusual",
    ),
    "too few numbers": (named(array(data=b"C\x04" + bytes(4))), "`w` has 4 bytes; its shape (2, 1) of float32 needs 8"),
    "a huge shape": (
        named(array(b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft")),
        "`w` has 8 bytes; its shape (2147483647, 214",
    ),
    "a negative shape": (named(array(b"(J\xff\xff\xff\xffJ\xf8\xff\xff\xfft")), "a shape is no tuple"),
    "objects": (named(array(dtype=DTYPE.replace(b"f4", b"O8"))), "`w` is of an unusual dtype"),
    "parts of a dtype": (named(array(dtype=DTYPE.replace(b"<N", b"<" + DTYPE + b"K\x02\x86"))), "of an unusual dtype"),
    "codecs": (
        named(array(data=b"c_codecs\nencode\n(X\x02\x00\x00\x0000X\x03\x00\x00\x00hextR")),
        "`w` has its numbers in Call, not in bytes",
    ),
    "a function as a tuple": (named(b"cbuiltins\ntuple\n(" + array() + b"tR"), "`w` is made by `builtins.tuple`"),
    "a hash": (b"\x80\x04}" + nested(60) + b"K\x01s.", "a key is tuple"),
    "a long integer": (b"\x80\x04}\x8b\xff\x00\x00\x00" + b"\x7f" * 255 + b"K\x01s.", "more than 128 bits"),
    "a place in the memo": (b"\x80\x04}r\xff\xff\xff\x7f.", "it holds no arrays"),
    "two states": (named(array() + b"(K\x01tb"), "it gives one value two states"),
    "many opcodes": (b"\x80\x04" + b"N0" * 600 + b".", "it has more than 1,000 opcodes"),
    "no end": (b"\x80\x04}", "damaged, or not of "),
    "nothing on the stack": (b"\x80\x04.", "damaged, or not of "),
    "nothing to pair": (b"\x80\x04\x86.", "damaged, or not of "),
    "nothing there": (b"", "damaged, or not of "),
    "half an opcode": (b"\x80\x04B\xff\xff\xff\x7f", "damaged, or not of "),
    "an instance": (named(ORDERED + b")\x81"), "it uses the opcode NEWOBJ"),
}
VARIED = [(backend, name) for backend in ("torch", "paddle") for name in PICKLES]
# PyTorch's files have no arrays of NumPy, which it refuses by their names.
OF_NUMPY = [
    name for name, (data, _) in PICKLES.items() if b"numpy" in data or b"_codecs" in data or b"builtins" in data
]


@pytest.mark.parametrize(("owner", "name"), [(b, n) for b, n in VARIED if b == "paddle" or n not in OF_NUMPY])
def test_hostile_pickles_are_refused(
    owner: str, name: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "STEPS", 1000)
    require(request.config, owner)
    data, message = PICKLES[name]
    path = tmp_path / ("w.pt" if owner == "torch" else "w.pdparams")
    if owner == "torch":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", data)
        message = message.replace("not an array", "not a tensor")
    else:
        path.write_bytes(data)
    with pytest.raises(PortError) as caught:
        read(owner, path)
    assert message in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_an_array_is_exactly_its_numbers() -> None:
    """The parts of which the hostile ones are made are right themselves."""
    value: Any = pickle.loads(named(array(data=b"C\x08" + np.array([1, 2], "f4").tobytes())))
    assert value["w"].tolist() == [[1], [2]]
    for protocol in (2, 3, 4, 5):
        held = pickles.load(io.BytesIO(pickle.dumps({"a": [1, 2.5, None, (True, "x")]}, protocol)), ())
        assert held == {"a": [1, 2.5, None, (True, "x")]}


@pytest.mark.needs("paddle")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_numpy_pickles_is_read(protocol: int, tmp_path: Path) -> None:
    arrays = {name: np.asfortranarray(value) for name, value in randomised(TINY).items()}
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps(arrays, protocol))
    loaded, _ = frameworks.part("paddle", "files").read(tmp_path / "w.pdparams")
    assert bits(loaded) == bits(arrays)
    shared = np.zeros(74, "f4")
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps({"a": shared, "b": shared}, 5))
    with pytest.raises(PortError, match="its arrays would take 592 bytes; at most"):
        frameworks.part("paddle", "files").read(tmp_path / "w.pdparams", 591)


def _strided(torch: Any, *arguments: Any) -> Any:
    return torch.as_strided(torch.arange(24.0), *arguments)


@pytest.mark.needs("torch")
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_what_torch_saves_is_read_in_either_form(zipped: bool, tmp_path: Path) -> None:
    import torch

    state = {
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "part": torch.arange(9.0)[3:5],
        "last": torch.nn.Conv2d(2, 3, 3).weight.to(memory_format=torch.channels_last),
        "half": torch.ones(2, dtype=torch.float16),
        "steps": torch.tensor(3),
        "nothing": torch.zeros((0, 3)),
    }
    state["same"] = state["part"]
    around = {"epoch": 3, "model": state, "size": torch.Size([2]), "other": torch.ones(3, dtype=torch.bfloat16)}
    torch.save(
        around | {"kept": torch.nn.BatchNorm2d(2).state_dict()},
        tmp_path / "w.pt",
        _use_new_zipfile_serialization=zipped,
    )
    arrays, notes = frameworks.part("torch", "files").read(tmp_path / "w.pt")
    assert bits(arrays) == bits({name: value.detach().numpy() for name, value in state.items()})
    assert notes == ["took `model` and left out epoch, size, other, kept"]


VIEWS = {
    "repeated": (lambda torch: torch.zeros(1).expand(9, 9), "`w` is a view of shape (9, 9) with strides (0, 0)"),
    "overlapping": (lambda torch: _strided(torch, (20, 5), (1, 1)), "strides (1, 1) on 24 stored numbers"),
}


@pytest.mark.needs("torch")
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_more_than_there_is_is_refused(name: str, tmp_path: Path) -> None:
    import torch

    make, message = VIEWS[name]
    torch.save({"w": make(torch)}, tmp_path / "w.pt")
    with pytest.raises(PortError) as caught:
        frameworks.part("torch", "files").read(tmp_path / "w.pt")
    assert message in str(caught.value)


def _changed(path: Path, change: Callable[[str, bytes], tuple[bytes, int]]) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            data, method = change(name, data)
            archive.writestr(name, data, method)
    return path


@pytest.mark.needs("torch")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, data: (data[:4] if "/data/" in name else data, 0), "storage `0` has 4 bytes, not 2 of float32"),
        (lambda name, data: (data, 8 if "/data/" in name else 0), "is compressed; `torch.save` stores numbers"),
        (lambda name, data: (data.replace(b"little", b"big"), 0), "its numbers are not little-endian"),
        (lambda name, data: (data.replace(b"K\x00K\x02\x85", b"K\x01K\x02\x85"), 0), "on 2 stored numbers at 1"),
        (lambda name, data: (data.replace(b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x009"), 0), "KeyError"),
    ],
    ids=["cut", "compressed", "other order", "beyond", "absent"],
)
def test_storages_are_what_the_pickle_says(change: Any, message: str, tmp_path: Path) -> None:
    import torch

    torch.save({"w": torch.ones(2)}, tmp_path / "w.pt")
    with pytest.raises(PortError) as caught:
        read("torch", _changed(tmp_path / "w.pt", change))
    assert message in str(caught.value)


@pytest.mark.needs("torch")
def test_a_storage_of_the_old_form_that_is_cut_is_refused(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "w.pt"
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for data in (whole[:-1], whole[:-16] + struct.pack("<q", 2**62) + whole[-8:]):
        path.write_bytes(data)
        with pytest.raises(PortError, match=r"storage `\d+` has [78] bytes, not 2 of float32|damaged"):
            read("torch", path)

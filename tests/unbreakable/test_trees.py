"""Files of trees: their headers are believed only where the bytes are there, and within what the block needs."""

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgpack
import numpy as np
import pytest

from common.port import trees
from common.port.weights import PortError, fit
from common.spec.params import Arrays
from tests.support.weights import TINY

MOST = 2**20


def npy(shape: str, descr: str = "'<f4'", data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode("latin-1")
    return b"\x93NUMPY" + version + struct.pack("<H" if version == b"\x01\x00" else "<I", len(header)) + header + data


def npz(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def packed(shape: object, dtype: str = "float32", data: bytes = b"") -> bytes:
    return pack({"w": msgpack.ExtType(1, pack((shape, dtype, data)))})


def tensors(shape: list[int], end: int, data: bytes = b"") -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


def pack(value: object) -> bytes:
    return msgpack.packb(value) or b""


def two_names() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return npz(("w.npy", npy("(0,)")), ("w.npy", npy("(0,)")))


FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a shape without numbers": (".npz", lambda: npz(("w.npy", npy("(100000, 100000)"))), "`w.npy` has 0 bytes"),
    "a negative shape": (".npz", lambda: npz(("w.npy", npy("(-1, -1)", data=bytes(4)))), "`w.npy` has 4 bytes"),
    "a shape of words": (".npz", lambda: npz(("w.npy", npy("'ab'"))), "shape is not valid: 'ab'"),
    "a shape of a long number": (".npz", lambda: npz(("w.npy", npy("(" + "9" * 5000 + ",)"))), "ValueError"),
    "a nested header": (".npz", lambda: npz(("w.npy", npy("(" * 3000 + ")" * 3000))), "Error"),
    "a dtype of parts": (".npz", lambda: npz(("w.npy", npy("(1,)", "('<f4', (2,))", bytes(8)))), "`w.npy` has 8 bytes"),
    "a dtype of bytes": (".npz", lambda: npz(("w.npy", npy("(1,)", "'S4'", bytes(4)))), "weights are float16"),
    "objects": (".npz", lambda: npz(("w.npy", npy("(1,)", "'|O'", bytes(8)))), "Object arrays cannot be loaded"),
    "another version": (".npz", lambda: npz(("w.npy", npy("(0,)", version=b"\x03\x00"))), "is of version (3, 0)"),
    "no array": (".npz", lambda: npz(("w.npy", b"hello")), "ValueError"),
    "zeros": (".npz", lambda: npz(("w.npy", bytes(2 * MOST)), method=8), "its arrays would take 2,097,152 bytes"),
    "many names": (".npz", lambda: npz(*((f"{i}.npy", b"") for i in range(10_001))), "more than 10,000 members"),
    "a name twice": (".npz", two_names, "it is a zip file that has a name twice"),
    "one path twice": (
        ".npz",
        lambda: npz(("a/b.npy", npy("(0,)")), ("a.b.npy", npy("(0,)"))),
        "two of its arrays are `a.b`",
    ),
    "a long name": (".npz", lambda: npz(("\x1b" * 999 + ".npy", npy("(9,)"))), r"`\x1b\x1b"),
    "no zip": (".npz", lambda: b"PK", "BadZipFile"),
    "lists in lists": (".msgpack", lambda: b"\x91" * 100_000, "StackError"),
    "huge lists in lists": (".msgpack", lambda: b"\xdd\x00\x01\x86\xa0" * 5000, "StackError"),
    "a list that is not there": (".msgpack", lambda: b"\xdd\xff\xff\xff\xff", "ValueError"),
    "a hundred levels": (".msgpack", lambda: b"\x91" * 100 + b"\x01", "nested more than 64 deep"),
    "a list as a key": (".msgpack", lambda: b"\x81\x90\x01", "TypeError"),
    "fewer numbers": (".msgpack", lambda: packed([9**9, 9**9]), "an array has 0 bytes"),
    "a shape of one number": (".msgpack", lambda: packed(3), "the shape of an array is no list of integers"),
    "a shape of true": (".msgpack", lambda: packed([True], data=bytes(4)), "the shape of an array is no list"),
    "a dtype of a pointer": (".msgpack", lambda: packed([1], "O", bytes(8)), "an array is O; weights are float16"),
    "a dtype of two": (".msgpack", lambda: packed([1], "(2,)f4", bytes(8)), "an array is (2,)f4"),
    "an extension": (".msgpack", lambda: pack(msgpack.ExtType(9, b"")), "extension of type 9"),
    "a broken extension": (
        ".msgpack",
        lambda: pack(msgpack.ExtType(1, b"\xdd\xff\xff\xff\xff")),
        "ValueError",
    ),
    "a word": (".msgpack", lambda: pack({"w": "hello"}), "`w` is str, not an array"),
    "cut without parts": (".msgpack", lambda: pack({trees.CHUNKED: True}), "KeyError"),
    "tensors that are not there": (".safetensors", lambda: tensors([10**9], 4 * 10**9), "SafetensorError"),
    "tensors of another size": (".safetensors", lambda: tensors([9], 4, bytes(4)), "SafetensorError"),
    "a header that is not there": (".safetensors", lambda: struct.pack("<Q", 2**63), "SafetensorError"),
    "too large a file": (".safetensors", lambda: bytes(MOST + 1), "it has more than 1,048,576 bytes"),
}


@pytest.mark.needs("flax")
@pytest.mark.parametrize("name", FILES)
def test_hostile_trees_are_refused(name: str, tmp_path: Path) -> None:
    from report.port.weights import read

    suffix, make, message = FILES[name]
    path = tmp_path / f"w{suffix}"
    path.write_bytes(make())
    with pytest.raises(PortError) as caught:
        read("flax", path, MOST)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_what_is_right_is_read(tmp_path: Path) -> None:
    """The makers of the hostile files make right ones too."""
    numbers = np.array([1, 2], "f4").tobytes()
    whole = {"0": msgpack.ExtType(1, pack(([2], "float32", numbers)))}
    files = {
        ".npz": npz(("w.npy", npy("(2,)", data=numbers)), method=zipfile.ZIP_DEFLATED),
        ".msgpack": packed([2], data=numbers),
        ".safetensors": tensors([2], 8, numbers),
        ".cut.msgpack": pack({"w": {trees.CHUNKED: True, "shape": {"0": 2}, "chunks": whole}}),
    }
    for suffix, data in files.items():
        (tmp_path / f"w{suffix}").write_bytes(data)
        arrays, _ = trees.read(tmp_path / f"w{suffix}", MOST)
        assert {name: array.tolist() for name, array in arrays.items()} == {"w": [1, 2]}


def test_two_arrays_of_one_name_are_refused(backend: object) -> None:
    """A file may hold an array under each of two names that mean one: neither may get lost."""
    import frameworks

    pairs = {"jax": ("kernel", "scale"), "flax": ("kernel", "scale"), "paddle": ("_mean", "running_mean")}
    name: str = backend.NAME  # type: ignore[attr-defined]
    if name in pairs:
        state: Arrays = {f"params.conv.{leaf}": np.zeros((1, 1), "f4") for leaf in pairs[name]}
        with pytest.raises(PortError, match="two of its arrays are `params"):
            frameworks.part(name, "layout").from_native(state)


def test_names_of_a_file_are_printed_in_a_few_short_lines() -> None:
    arrays = {f"{'x' * 5000}\x1b[31m\n{number}": np.zeros(1, "f4") for number in range(3000)}
    with pytest.raises(PortError) as caught:
        fit(TINY, arrays)
    assert str(caught.value) == "the arrays do not fit `conv_bn_act`: 6 missing, 3000 unexpected, 0 mis-shaped"
    assert len(caught.value.details) == 21
    assert caught.value.details[-1] == "and 2986 more"
    assert all(line.isprintable() and len(line) < 200 for line in caught.value.details)


def pipe(path: Path) -> None:
    os.mkfifo(path)


SPECIAL: dict[str, Callable[[Path], None]] = {
    "a pipe": pipe,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with named pipes")
@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_no_regular_file_is_refused(name: str, tmp_path: Path) -> None:
    from common.files import contents

    SPECIAL[name](tmp_path / "x")
    with pytest.raises(OSError, match=r"not a regular file|Too many levels of symbolic links"):
        contents(tmp_path / "x")


def test_a_directory_of_other_than_regular_files_is_refused(tmp_path: Path) -> None:
    pipe(tmp_path / "_METADATA")
    with pytest.raises(PortError, match="`_METADATA` in it is not a regular file"):
        trees.read(tmp_path, MOST)


def orbax(folder: Path, chunk: int) -> Path:
    """A checkpoint with an array of one number, of which a chunk has ``chunk``."""
    keys = {"key_metadata": [{"key": "w", "key_type": 2}], "value_metadata": {"value_type": "np.ndarray"}}
    keys["value_metadata"]["skip_deserialize"] = False
    metadata = {"tree_metadata": {"('w',)": keys}, "use_ocdbt": False, "use_zarr3": False}
    array = {"zarr_format": 2, "shape": [1], "chunks": [chunk], "dtype": "<f4", "compressor": None}
    array |= {"fill_value": None, "order": "C", "filters": None, "dimension_separator": "."}
    (folder / "w").mkdir(parents=True)
    (folder / "_METADATA").write_text(json.dumps(metadata))
    (folder / "_CHECKPOINT_METADATA").write_text("{}")
    (folder / "w" / ".zarray").write_text(json.dumps(array))
    (folder / "w" / "0").write_bytes(np.array([3], "f4").tobytes())
    return folder


@pytest.mark.needs("jax")
def test_a_directory_that_aborts_its_reader_is_refused(tmp_path: Path) -> None:
    from report.port.weights import read

    with pytest.raises(PortError) as caught:
        read("jax", orbax(tmp_path / "huge", 10**12), MOST)
    assert "damaged, or not of jax (" in str(caught.value)
    assert "\n" not in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PortError, match=r"cannot read .*empty: it has no metadata of Orbax"):
        read("jax", tmp_path / "empty", MOST)
    arrays, _ = read("jax", orbax(tmp_path / "right", 1), MOST)
    assert arrays["w"].tolist() == [3]

"""Files of JAX's and Flax's users: trees of arrays in msgpack, npz, safetensors, and Orbax's directories."""

import io
import math
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from common.files import MOST, contents
from common.names import spelled
from common.port import orbax
from common.port.weights import PortError, as_arrays, flat, unwrapped, within
from common.spec import params
from common.spec.params import Arrays

NUMBERS = ("float16", "float32", "float64", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
ARRAY, COMPLEX, SCALAR = 1, 2, 3  # Flax's extensions of msgpack
CHUNKED = "__msgpack_chunked_array__"  # Flax cuts an array of more than 1 GiB
MEMBERS = 10_000  # arrays of an npz: each takes a millisecond to open
LISTED = 100_000  # values of one list, for which msgpack takes memory before it has them; members of a directory


def read(path: Path, most: int = MOST, numbers: bool = True) -> tuple[Arrays, list[str]]:
    """The leaves by dotted path, below ``params`` and ``batch_stats`` where a file has these; no pickle is read.

    Neither the file nor its arrays may take more than ``most`` bytes. Without ``numbers`` these are not unpacked; those
    of msgpack are among the shapes, as they are.

    Raises:
        PortError: for what is no tree of arrays. A damaged file may raise anything.
    """
    if path.is_dir():
        _regular(path, most)
        return orbax.read(path, most, numbers)
    if path.suffix == ".msgpack":
        tree = _msgpack(contents(path, most))
    elif path.suffix == ".npz":
        tree = _npz(contents(path, most), most, numbers)
    else:
        tree = params.load(path, most, numbers)
    leaves, notes = unwrapped(flat(tree))
    return as_arrays(leaves), notes


def _regular(folder: Path, most: int) -> None:
    """Refuses a directory that holds links, pipes or devices, or too much: who reads it would wait for them."""
    folders, size, count = [folder], 0, 0
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                status, count = entry.stat(follow_symlinks=False), count + 1
                if stat.S_ISDIR(status.st_mode):
                    folders.append(Path(entry.path))
                elif not stat.S_ISREG(status.st_mode):
                    raise PortError(f"`{spelled(entry.name)}` in it is not a regular file")
                size += status.st_size
                if count > LISTED:
                    raise PortError(f"it has more than {LISTED:,} members")
    within(size, most)


def _npz(data: bytes, most: int, numbers: bool) -> Arrays:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MEMBERS:
            raise PortError(f"it has more than {MEMBERS:,} members")
        if len({member.filename for member in members}) < len(members):
            raise PortError("it is a zip file that has a name twice")
        within(sum(member.file_size for member in members), most)
        return {member.filename.removesuffix(".npy"): _npy(archive, member, numbers) for member in members}


def _npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, numbers: bool) -> np.ndarray:
    """One array: NumPy's own reader would take the memory for its shape before it looks for the numbers."""
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    name = f"`{spelled(member.filename)}`"
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in headers:
            raise PortError(f"{name} is of version {version}; choose from {', '.join(map(str, headers))}")
        shape, fortran, dtype = headers[version](file)
        if dtype.hasobject:
            raise PortError(f"{name}: Object arrays cannot be loaded when allow_pickle=False")
        if not numbers:
            return params.shell(shape, dtype)
        return _array(name, shape, dtype, file.read(), "F" if fortran else "C")


def _array(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], data: bytes, order: Any = "C") -> np.ndarray:
    needed = math.prod(shape) * dtype.itemsize
    if dtype.subdtype or dtype.fields or len(data) != needed or any(size < 0 for size in shape):
        raise PortError(
            f"{name} has {len(data)} bytes; its shape {spelled(shape)} of {spelled(dtype.name)} needs {needed}"
        )
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _msgpack(data: bytes) -> Any:
    import msgpack

    def extension(code: int, data: bytes) -> Any:
        if code == COMPLEX:
            return complex(*msgpack.unpackb(data, max_array_len=2))
        if code not in (ARRAY, SCALAR):
            raise PortError(f"it has a msgpack extension of type {code}, which Flax has not")
        shape, dtype, numbers = msgpack.unpackb(data, raw=True, max_array_len=32)
        if not isinstance(shape, list) or not all(type(size) is int for size in shape):
            raise PortError("the shape of an array is no list of integers")
        if (word := dtype.decode()) not in NUMBERS:
            raise PortError(f"an array is {spelled(word)}; weights are float16, float32 or float64")
        return _array("an array", tuple(shape), np.dtype(word), numbers)

    limits = {"max_array_len": LISTED, "max_map_len": LISTED}
    return _whole(msgpack.unpackb(data, ext_hook=extension, raw=False, strict_map_key=False, **limits))


def _whole(tree: Any) -> Any:
    """The tree with arrays that Flax has cut put together."""
    if not isinstance(tree, dict):
        return tree
    if CHUNKED not in tree:
        return {key: _whole(child) for key, child in tree.items()}
    shape, chunks = ([tree[part][str(i)] for i in range(len(tree[part]))] for part in ("shape", "chunks"))
    return np.concatenate(chunks).reshape(shape)

"""What ``torch.save`` writes, read without PyTorch: a pickle of tensors, and beside it the storages of their numbers.

``torch.load(weights_only=True)`` runs no code of a file either, but a few bytes can make it compute a hash for ever, or
give a tensor a shape for which nothing is stored.
"""

import io
import math
import zipfile
from typing import Any, NamedTuple

import numpy as np

from common.port import pickles
from common.port.pickles import Call, Name, Persistent
from common.port.weights import PortError
from common.spec.params import shell

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the format before PyTorch 1.6: pickles in a row, then the storages
STORAGES = {
    "torch.HalfStorage": "f2",
    "torch.FloatStorage": "f4",
    "torch.DoubleStorage": "f8",
    "torch.CharStorage": "i1",
    "torch.ShortStorage": "i2",
    "torch.IntStorage": "i4",
    "torch.LongStorage": "i8",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "b1",
    "torch.ComplexFloatStorage": "c8",
    "torch.ComplexDoubleStorage": "c16",
    "torch.BFloat16Storage": "",  # NumPy has no such numbers
}
TENSOR = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
PARAMETER = "torch._utils._rebuild_parameter"
# What training scripts keep beside a state dict; it is not used.
OTHERS = ("torch.Size", "torch.device", "collections.Counter")
DTYPES = tuple(f"torch.{kind}" for kind in ("float16", "float32", "float64", "bfloat16", "int32", "int64", "bool"))
ALLOWED = {*STORAGES, *TENSOR, PARAMETER, pickles.ORDERED_DICT, *OTHERS, *DTYPES}


class Tensor(NamedTuple):
    """A tensor of a pickle: its storage's key and number of values, and where in it the tensor's values are."""

    key: str
    values: int
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def shell(self) -> np.ndarray:
        return shell(self.shape, self.dtype)


def stored(value: Any) -> Tensor:
    """What stands for a tensor, or for a parameter.

    Raises:
        PortError: for anything else, and for a view that repeats numbers or leaves its storage.
    """
    if isinstance(value, Call) and value.function == PARAMETER and value.arguments:
        value = value.arguments[0]
    match value:
        case Call(function, (Persistent(reference), int() as offset, shape, strides, *_), None) if function in TENSOR:
            key, kind, count = _reference(reference)
        case Call(function):
            raise PortError(f"is made by `{function}` in an unusual way; tensors are read as PyTorch pickles them")
        case _:
            raise PortError(f"is {type(value).__name__}, not a tensor")
    if not STORAGES[kind]:
        raise PortError("is bfloat16, which NumPy has not; save it as float32, which loses nothing")
    shape, strides = pickles.dimensions(shape), pickles.dimensions(strides)
    tensor = Tensor(key, count, np.dtype(STORAGES[kind]), offset, shape, strides)
    if len(shape) != len(strides) or any(size > 1 and not step for size, step in zip(shape, strides, strict=True)):
        raise PortError(f"is a view of shape {shape} with strides {strides} that repeats its numbers; save a copy")
    last = offset + sum(max(0, size - 1) * step for size, step in zip(shape, strides, strict=True))
    size = math.prod(shape)
    if offset < 0 or size > count or (size and last >= count):
        raise PortError(f"is a view of shape {shape} with strides {strides} on {count} stored numbers at {offset}")
    return tensor


def _reference(value: Any) -> tuple[str, str, int]:
    """A storage's key, kind and number of values."""
    match value:
        case ("storage", Name(kind), str() as key, str(), int() as count) if kind in STORAGES and count >= 0:
            return key, kind, count
        case ("storage", Name(kind), str() as key, str(), int() as count, None) if kind in STORAGES and count >= 0:
            return key, kind, count
    raise PortError("refers to a storage in an unusual way")


class Archive:
    """A file of ``torch.save``: its ``value``, in which calls stand for tensors, and the numbers of a tensor.

    Raises:
        PortError: for a file of another kind, or one that holds more than tensors and plain data.
    """

    def __init__(self, data: bytes) -> None:
        self._most = len(data)
        self._storages: dict[str, bytes] = {}
        if data.startswith(b"PK"):
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            names = self._zip.namelist()
            if len(set(names)) < len(names):
                raise PortError("it is a zip file that has a name twice")
            (self._folder,) = [name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")]
            order = f"{self._folder}byteorder"
            if order in names and self._entry(order) != b"little":
                raise PortError("its numbers are not little-endian")
            self.value = pickles.load(io.BytesIO(self._entry(f"{self._folder}data.pkl")), ALLOWED)
            return
        self._zip, stream = None, io.BytesIO(data)
        head = pickles.load(stream, ALLOWED)
        if type(head) is not int or head != MAGIC or pickles.load(stream, ALLOWED) != PROTOCOL:
            raise PortError("it is no file of `torch.save`; a state dict of tensors is read, and nothing else")
        if pickles.load(stream, ALLOWED).get("little_endian") is not True:
            raise PortError("its numbers are not little-endian")
        outside: list[Persistent] = []
        self.value = pickles.load(stream, ALLOWED, outside)
        kinds = {key: kind for key, kind, _ in (_reference(item.key) for item in outside)}
        for key in pickles.load(stream, ALLOWED):  # each: the number of its values, and the values
            count = int.from_bytes(stream.read(8), "little")
            size = count * (np.dtype(STORAGES[kinds[key]]).itemsize if STORAGES[kinds[key]] else 2)
            self._storages[key] = stream.read(size)

    def _entry(self, name: str) -> bytes:
        """A member of the zip file; all together must not be larger than the file, as they are not compressed."""
        assert self._zip is not None
        info = self._zip.getinfo(name)
        self._most -= info.file_size
        if self._most < 0 or info.compress_type != zipfile.ZIP_STORED:
            raise PortError(f"`{name}` in it is compressed; `torch.save` stores numbers as they are")
        return self._zip.read(info)

    def array(self, tensor: Tensor) -> np.ndarray:
        """A copy of a tensor's numbers, contiguous.

        Raises:
            PortError: if its storage has not the size that the pickle says.
        """
        if self._zip and tensor.key not in self._storages:
            self._storages[tensor.key] = self._entry(f"{self._folder}data/{tensor.key}")
        data = self._storages[tensor.key]
        if len(data) != tensor.values * tensor.dtype.itemsize:
            raise PortError(f"storage `{tensor.key}` has {len(data)} bytes, not {tensor.values} of {tensor.dtype}")
        numbers = np.frombuffer(data, tensor.dtype)[tensor.offset :]
        strides = [step * tensor.dtype.itemsize for step in tensor.strides]
        view = np.lib.stride_tricks.as_strided(numbers, tensor.shape, strides, writeable=False)
        return np.ascontiguousarray(view).reshape(tensor.shape)

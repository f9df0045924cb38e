"""What a parent and its worker say to one another over a socket: requests, and answers with the id of their request.

A worker may run code that is not ours, which can write to any descriptor. So an answer is MessagePack of the type that
the request's annotation promises, an array in it is a dtype, a shape and bytes, and nothing in it is executed.
"""

import pickle
import struct
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

ID = 16  # bytes
REQUEST = struct.Struct("!Q")  # the length of what follows
ANSWER = struct.Struct(f"!{ID}s?Q")  # the request's id, whether it succeeded, the length of what follows
NUMBERS = "biufc"  # the kinds of dtype that have nothing but numbers
Receive = Callable[[memoryview], int]  # fills the start of a buffer; how many bytes, and 0 after the end


def request(identity: bytes, name: str, arguments: tuple[Any, ...]) -> tuple[bytes, bytes]:
    """A request in two parts to send one after the other, which `read_request` reads."""
    body = pickle.dumps((identity, name, arguments), protocol=5)
    return REQUEST.pack(len(body)), body


def read_request(receive: Receive) -> tuple[bytes, str, tuple[Any, ...]]:
    """The next request.

    Raises:
        EOFError: if there is no further request.
    """
    (length,) = REQUEST.unpack(exactly(REQUEST.size, receive))
    return pickle.loads(exactly(length, receive))


def answer(identity: bytes, succeeded: bool, body: bytes) -> tuple[bytes, bytes]:
    """An answer to the request of this id, in two parts: a value from `encode`, or why there is none, in UTF-8."""
    return ANSWER.pack(identity, succeeded, len(body)), body


def exactly(count: int, receive: Receive) -> memoryview:
    """So many bytes.

    Raises:
        EOFError: if there are fewer.
        MemoryError: if so many do not fit into memory.
    """
    try:
        data = left = np.empty(count, np.uint8).data  # which takes no memory before something is written
    except (ValueError, OverflowError):
        raise MemoryError from None
    while left:
        if not (size := receive(left)):
            raise EOFError
        left = left[size:]
    return data


def encode(value: object) -> bytes:
    """A value as MessagePack.

    Raises:
        TypeError: for what is neither a record, a plain value nor an array of numbers.
    """
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def decode(data: bytes | memoryview, kind: Any) -> Any:
    """A value of type ``kind`` from `encode`.

    Raises:
        ValueError: if it is none.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_array)
    except (msgspec.MsgspecError, TypeError) as error:
        raise ValueError(str(error)) from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray) or value.dtype.kind not in NUMBERS:
        raise TypeError(f"{type(value).__name__} is no part of an answer")
    return value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes()


def _array(kind: type, parts: Any) -> np.ndarray:
    dtype, shape, data = parts
    if np.dtype(dtype).kind not in NUMBERS:
        raise ValueError(f"dtype `{dtype}` is no number")
    return np.frombuffer(data, dtype).reshape(shape).copy()

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
CHUNK = 2**20  # bytes that are read at once
NUMBERS = "biufc"  # the kinds of dtype that have nothing but numbers


def request(identity: bytes, name: str, arguments: tuple[Any, ...]) -> bytes:
    """The bytes of a request, which `read_request` reads."""
    body = pickle.dumps((identity, name, arguments))
    return REQUEST.pack(len(body)) + body


def read_request(receive: Callable[[int], bytes]) -> tuple[bytes, str, tuple[Any, ...]]:
    """The next request; ``receive`` gives at most so many bytes, and none after the end.

    Raises:
        EOFError: if there is no further request.
    """
    (length,) = REQUEST.unpack(exactly(REQUEST.size, receive))
    return pickle.loads(exactly(length, receive))


def answer(identity: bytes, succeeded: bool, body: bytes) -> bytes:
    """The bytes of an answer to the request of this id: a value from `encode`, or why there is none, in UTF-8."""
    return ANSWER.pack(identity, succeeded, len(body)) + body


def exactly(count: int, receive: Callable[[int], bytes]) -> bytes:
    """So many bytes.

    Raises:
        EOFError: if there are fewer.
    """
    parts = bytearray()
    while len(parts) < count:
        if not (part := receive(min(count - len(parts), CHUNK))):
            raise EOFError
        parts += part
    return bytes(parts)


def encode(value: object) -> bytes:
    """A value as MessagePack.

    Raises:
        TypeError: for what is neither a record, a plain value nor an array of numbers.
    """
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def decode(data: bytes, kind: Any) -> Any:
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

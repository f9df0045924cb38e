"""Pickles without unpickling: what a file holds, as data. Nothing that it names is imported, called or built.

The work is bounded by the size of the file. No value is compared, hashed or printed whole: a few bytes can make nested
values whose hash takes for ever. Only words and integers are keys.
"""

import pickletools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, BinaryIO

from common.names import spelled
from common.port.weights import PortError

STEPS = 1_000_000  # opcodes; an array takes about 40
BITS = 128  # of an integer: Python's are endless, and their hashes are not kept
ORDERED_DICT = "collections.OrderedDict"
# Numbers by their names in NumPy's dtypes; a complex one is known so that its refusal can name it.
NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "c8", "c16")


@dataclass(frozen=True, eq=False)
class Name:
    """What a file asks to be imported: ``numpy.ndarray``."""

    path: str


@dataclass(eq=False)
class Call:
    """What a file asks to be called, and the state that the result is to be given, if any."""

    function: str
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True, eq=False)
class Persistent:
    """A reference to what is stored outside the pickle."""

    key: Any


def load(stream: BinaryIO, allowed: Collection[str], outside: list[Persistent] | None = None) -> Any:
    """The next pickle of a stream, in which `Name`, `Call` and `Persistent` stand for what is no plain data.

    An OrderedDict is a dict, a set a list. ``outside`` gets every reference, in the file's order. A damaged pickle
    raises ValueError, IndexError, KeyError or UnicodeError.

    Raises:
        PortError: for a name that is not ``allowed``, and for what a file of arrays does not need.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def taken(count: int | None = None) -> list[Any]:
        """The last values of the stack, by default those after the mark."""
        start = marks.pop() if count is None else len(stack) - count
        if start < 0:
            raise IndexError("too few values on the stack")
        values = stack[start:]
        del stack[start:]
        return values

    for step, (opcode, operand, _) in enumerate(pickletools.genops(stream)):
        argument: Any = operand
        if step >= STEPS:
            raise PortError(f"it has more than {STEPS:,} opcodes")
        match opcode.name:
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(memo[argument])
            case "BINUNICODE" | "SHORT_BINUNICODE" | "UNICODE" | "BINUNICODE8" | "BINFLOAT" | "FLOAT":
                stack.append(argument)
            case "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8" | "BYTEARRAY8":
                stack.append(argument)
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "LONG4" | "INT" | "LONG":
                if argument.bit_length() > BITS:
                    raise PortError(f"it holds an integer of more than {BITS} bits")
                stack.append(argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode.name])
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = 0 if opcode.name == "EMPTY_TUPLE" else int(opcode.name[-1])
                stack.append(tuple(taken(count)))
            case "TUPLE":
                stack.append(tuple(taken()))
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "LIST":
                stack.append(taken())
            case "APPEND" | "APPENDS" | "ADDITEMS":
                items = taken(1 if opcode.name == "APPEND" else None)
                _of(list, stack[-1], opcode.name).extend(items)
            case "EMPTY_DICT":
                stack.append({})
            case "DICT":
                stack.append(_entered({}, taken()))
            case "SETITEM" | "SETITEMS":
                items = taken(2 if opcode.name == "SETITEM" else None)
                _entered(_of(dict, stack[-1], opcode.name), items)
            case "GLOBAL" | "STACK_GLOBAL":
                words = argument.split(" ") if opcode.name == "GLOBAL" else taken(2)
                path = ".".join(_of(str, word, opcode.name) for word in words)
                if path not in allowed:
                    raise PortError(f"it asks for `{spelled(path)}`; arrays and plain data are read, and nothing else")
                stack.append(Name(path))
            case "REDUCE":
                function, arguments = taken(2)
                path = _of(Name, function, "REDUCE").path
                arguments = _of(tuple, arguments, "REDUCE")
                stack.append({} if path == ORDERED_DICT and not arguments else Call(path, arguments))
            case "BUILD":
                (state,) = taken(1)
                if isinstance(stack[-1], dict) and isinstance(state, dict) and list(state) == ["_metadata"]:
                    continue  # PyTorch's versions of modules, an attribute of its OrderedDict
                if (call := _of(Call, stack[-1], "BUILD")).state is not None:
                    raise PortError("it gives one value two states")
                call.state = state
            case "BINPERSID":
                stack.append(reference := Persistent(stack.pop()))
                if outside is not None:
                    outside.append(reference)
            case "POP":
                stack.pop()
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case other:
                raise PortError(f"it uses the opcode {other}, which a file of arrays does not need")
    raise ValueError("it has no end")


def _of(kind: type, value: Any, opcode: str) -> Any:
    if type(value) is not kind:
        raise PortError(f"{opcode} on {type(value).__name__}; a file of arrays has it on {kind.__name__} alone")
    return value


def _entered(target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) not in (str, int):
            raise PortError(f"a key is {type(key).__name__}; keys are words and integers")
        target[key] = value
    return target


def dimensions(value: Any) -> tuple[int, ...]:
    """``value`` if it is a shape or strides.

    Raises:
        PortError: if it is not.
    """
    if type(value) is not tuple or len(value) > 32 or not all(type(n) is int and 0 <= n < 2**63 for n in value):
        raise PortError("a shape is no tuple of at most 32 integers")
    return value

"""Answers of the reference, kept on disk from one run to the next.

The name of a file is a hash of all that its answer depends on: the question, the source of the packages that compute
it, and the versions of the libraries they use. So an answer cannot be stale. A file that is damaged or cannot be read
or written costs no more than the time to compute its answer.
"""

import contextlib
import functools
import hashlib
import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

FOLDER = "CONVPARITY_CACHE"  # the environment variable that names another folder; empty: nothing is kept
COMMON = Path(__file__).parents[1]
SOURCES = ("layers", "oracle", "spec", "check")  # of `common`: an answer is computed by these alone
LIBRARIES = ("numpy", "scipy", "scikit-learn")
LIMIT = 3 * 2**30  # bytes in all; beyond it the answers go that were not read for longest
DIGEST = 16  # bytes

Answer = TypeVar("Answer")


def folder() -> Path | None:
    """Where answers are kept; None if they are not."""
    name = os.environ.get(FOLDER)
    if name is None:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "convparity"
    return Path(name) if name else None


@functools.cache
def _program() -> bytes:
    digest = hashlib.blake2b(platform.python_version().encode())
    for library in LIBRARIES:
        digest.update(metadata.version(library).encode())
    for source in SOURCES:
        for path in sorted((COMMON / source).rglob("*.py")):
            digest.update(str(path.relative_to(COMMON)).encode() + path.read_bytes())
    return digest.digest()


def kept(kind: type[Answer], question: object, compute: Callable[[], Answer]) -> Answer:
    """The answer, of type ``kind``, to a question whose repr says all of it: from its file, else computed and kept."""
    if (where := folder()) is None:
        return compute()
    path = where / _named(kind, question)
    with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
        answer = _read(path, kind)
        os.utime(path)
        return answer
    answer = compute()
    with contextlib.suppress(OSError):
        _write(path, answer)
    return answer


def _named(kind: type, question: object) -> str:
    return hashlib.blake2b(_program() + f"{kind.__name__} {question!r}".encode(), digest_size=DIGEST).hexdigest()


def _read(path: Path, kind: type[Answer]) -> Answer:
    data = memoryview(path.read_bytes())
    if hashlib.blake2b(data[DIGEST:], digest_size=DIGEST).digest() != data[:DIGEST]:
        raise ValueError(f"{path} is damaged")
    return msgspec.msgpack.decode(data[DIGEST:], type=kind, dec_hook=_array)


def _write(path: Path, answer: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = msgspec.msgpack.encode(answer, enc_hook=_parts)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(hashlib.blake2b(data, digest_size=DIGEST).digest() + data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _prune(path.parent)


def _prune(where: Path) -> None:
    """Takes out what was not read for longest, the leftovers of killed runs among it, until the rest is below LIMIT."""
    files = [(path, path.stat()) for path in where.iterdir() if path.is_file()]
    size = sum(stat.st_size for _, stat in files)
    for path, stat in sorted(files, key=lambda file: file[1].st_mtime):
        if size <= LIMIT:
            return
        path.unlink(missing_ok=True)
        size -= stat.st_size


def _parts(array: Any) -> tuple[str, tuple[int, ...], bytes]:
    if not isinstance(array, np.ndarray):
        raise NotImplementedError(f"{type(array).__name__} is no part of an answer")
    return array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes()


def _array(kind: type, parts: Any) -> np.ndarray:
    dtype, shape, data = parts
    return np.frombuffer(data, dtype).reshape(shape).copy()

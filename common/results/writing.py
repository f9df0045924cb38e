"""Files that runs write: tried before the work, kept from other runs meanwhile, and replaced whole or not at all."""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path


class ResultsError(ValueError):
    """A results file that cannot be read or written; the message says why in one line."""


def write_text(path: Path, text: str) -> None:
    """Replaces a file whole or not at all: through a symbolic link, not over it, and with the mode that it has.

    Raises:
        ResultsError: if it cannot be written; the file that was there is untouched.
    """
    file = _file(path)
    partial = file.with_name(f".convparity-{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("x", encoding="utf-8") as stream:
                stream.write(text)
            if file.exists():
                partial.chmod(stat.S_IMODE(file.stat().st_mode))
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from None


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Tries whether a file can be written, and keeps other runs from it until the context ends; nothing is left of it.

    Raises:
        ResultsError: if it cannot be written, has no folder, or another run writes it.
    """
    file = _file(path)
    lock = file.with_name(f".convparity-{hashlib.blake2b(os.fsencode(file.name), digest_size=8).hexdigest()}.lock")
    try:
        if not file.parent.exists():
            raise FileNotFoundError(errno.ENOENT, f"there is no folder {path.parent}")
        if file.exists() and not os.access(file, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        descriptor = _locked(lock)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # before the lock goes, or it would be another run's
        os.close(descriptor)


@contextlib.contextmanager
def made(path: Path) -> Iterator[None]:
    """Makes the folder of a file, and takes it away again if nothing is in it when the context ends.

    Raises:
        ResultsError: if it cannot be made.
    """
    with contextlib.ExitStack() as missing:
        try:
            for folder in reversed(path.parents):
                if not folder.exists():
                    folder.mkdir()
                    missing.callback(_remove, folder)
        except OSError as error:
            raise ResultsError(f"cannot write {path}: {error.strerror}") from None
        yield


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):  # something is in it
        folder.rmdir()


def _file(path: Path) -> Path:
    """The file that a path leads to.

    Raises:
        ResultsError: if something else is there.
    """
    file = Path(os.path.realpath(path))
    try:
        if file.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if file.exists() and not file.is_file():
            raise OSError(errno.EINVAL, "not a regular file")
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from None
    return file


def _locked(lock: Path) -> int:
    """The descriptor of a file that this process has locked.

    Raises:
        BlockingIOError: with the process that has locked it.
    """
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace")
            os.close(descriptor)
            raise BlockingIOError(errno.EAGAIN, f"another run, process {holder}, writes it") from None
        except OSError:  # a file system that has no locks
            return descriptor
        with contextlib.suppress(FileNotFoundError):  # unless the run that had locked it has taken it away
            if lock.stat().st_ino == os.fstat(descriptor).st_ino:
                try:
                    os.truncate(descriptor, 0)
                    os.write(descriptor, str(os.getpid()).encode())
                except OSError:  # the disk is full
                    lock.unlink()
                    os.close(descriptor)
                    raise
                return descriptor
        os.close(descriptor)

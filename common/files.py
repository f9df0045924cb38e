"""Files that others wrote: regular ones alone, and no more of them than there may be."""

import errno
import os
import stat
from pathlib import Path

MOST = 2**30  # bytes, where nothing says how many a file may have


def contents(path: Path, most: int = MOST) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: if it cannot be read, is a device, a pipe or a folder, or has more than ``most`` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer would wait
    except ValueError as error:  # a zero byte in its name
        raise OSError(errno.EINVAL, str(error)) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > most or len(data := file.read(most + 1)) > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
    return data

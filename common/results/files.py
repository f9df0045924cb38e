"""Versioned JSON that is read back: whatever is wrong with a file is one line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from common.files import contents
from common.names import first_line, shown
from common.results.writing import ResultsError

MOST_BYTES = 2**28
Record = TypeVar("Record")


def read(
    path: Path, kind: type[Record], version: int, older: Mapping[int, Callable[[dict[str, Any]], None]] | None = None
) -> Record:
    """Reads a record of one kind; ``older`` has, by version, a function that turns data of it into the next version.

    Raises:
        ResultsError: if the file cannot be read, is not such a record, or is of another schema version.
    """
    older = older or {}
    try:
        data = msgspec.json.decode(contents(path, MOST_BYTES))
        file_version = data.get("schema_version") if isinstance(data, dict) else None
        if type(file_version) is not int or (file_version != version and file_version not in older):
            raise ResultsError(f"{path}: schema version {shown(file_version)}, this is for {version}")
        for number in range(file_version, version):
            older[number](data)
        data["schema_version"] = version  # it may be written again, in this version
        return msgspec.convert(data, kind)
    except ResultsError:
        raise
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from None
    except (UnicodeError, RecursionError) as error:
        raise ResultsError(f"{path} is not a results file: {first_line(error)[:300]}") from None
    # A file that says it is of an older version may lack what the function of that version expects.
    except (AttributeError, KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise ResultsError(f"{path} is not a results file: {str(error)[:300]}") from None

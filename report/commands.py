"""What all commands share."""

from pathlib import Path
from typing import Any

EXIT_DISAGREE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def described(example: str) -> dict[str, Any]:
    """A command's settings, with an example below its help."""
    return {"epilog": f"Example: {example}", "context_settings": {"help_option_names": ["-h", "--help"]}}


def writable(path: Path | None) -> None:
    """Refuses before the work what could not be written after it."""
    from common.results import write_text

    if path:
        write_text(path, None)

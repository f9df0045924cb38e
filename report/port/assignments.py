"""Options of a block as they are typed: ``--set KEY=VALUE``."""

import ast
from collections.abc import Sequence
from typing import Any

from common.layers.values import SpecError
from common.names import spelled


def options_of(assignments: Sequence[str]) -> dict[str, Any]:
    """Options from ``key=value`` as they are typed: numbers, true and false, pairs such as ``3,5``, words.

    Raises:
        SpecError: for one without ``=``, or a key given twice.
    """
    options: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise SpecError(f"`--set {spelled(text)}` must be --set KEY=VALUE")
        if (key := key.strip()) in options:
            raise SpecError(f"`--set` gives `{spelled(key)}` twice")
        options[key] = _value(value.strip())
    return options


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text

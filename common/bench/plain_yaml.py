"""YAML as a person writes it: no aliases, tags or keys given twice, and no more of it than a person writes."""

from pathlib import Path
from typing import Any

import yaml

from common.files import contents
from common.names import shown, spelled

BYTES, PARTS, DEEPEST = 2**18, 20_000, 20
DIGITS = 40  # of a number


def load(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not YAML, or more than plain YAML; the message says where.
    """
    data = contents(path, BYTES)
    try:
        _plain(data)
        loader = yaml.CSafeLoader(data)
        try:
            if (node := loader.get_single_node()) is None:
                return None
            _checked(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, UnicodeError, OverflowError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:300]) from None


def _plain(data: bytes) -> None:
    """Reads the events of the text, of which nothing is made yet: an alias could make a thousand values of one."""
    depth = 0
    for count, event in enumerate(yaml.parse(data, Loader=yaml.CSafeLoader)):
        opens = isinstance(event, yaml.CollectionStartEvent)
        depth += opens - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"`*{spelled(event.anchor)}`{_place(event)} is an alias; write the value itself")
        if (opens or isinstance(event, yaml.ScalarEvent)) and event.tag not in (None, "!"):
            raise ValueError(f"`{spelled(event.tag)}`{_place(event)} is a tag; write the value alone")
        if depth > DEEPEST or count > PARTS:
            raise ValueError(f"it has more than {DEEPEST} levels or {PARTS:,} parts")


def _checked(node: yaml.Node) -> None:
    """Refuses keys that occur twice or are no words, and numbers of many digits."""
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise ValueError(f"a key{_place(key)} is no word")
            if key.value in keys:
                raise ValueError(f"the key {shown(key.value)}{_place(key)} is given twice")
            keys.add(key.value)
            _checked(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _checked(value)
    elif node.tag.endswith((":int", ":float")) and len(node.value) > DIGITS:
        raise ValueError(f"{shown(node.value)}{_place(node)} has more than {DIGITS} digits")


def _place(item: Any) -> str:
    return f" in line {item.start_mark.line + 1}"

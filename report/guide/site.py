"""The hook of mkdocs: what GitHub shows as folded parts becomes tabs on the site."""

import re
from typing import Any

_GROUP = re.compile(r"<!-- tabs -->\n(.*?)\n<!-- /tabs -->", re.DOTALL)
_PART = re.compile(r"<details(?: open)?><summary>(.*?)</summary>\n\n(.*?)\n\n</details>", re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs with each page's text."""
    return _GROUP.sub(lambda group: "\n\n".join(_tab(*part) for part in _PART.findall(group[1])), markdown)


def _tab(title: str, text: str) -> str:
    return "\n".join([f'=== "{title}"', "", *(f"    {line}" if line else "" for line in text.splitlines())])

"""Jupyter notebooks: cells, their sources and outputs.
Ids, execution counts and metadata (kernel, language, timing) are apart.
"""

import re
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.interface import BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.json import Object, Walk, load
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_APART = {"metadata", "execution_count", "id"}
_APART_OF_BOOK = {"metadata", "nbformat_minor"}


class Notebook:
    name, version, extra = "notebook", "2", ""
    options = frozenset({"ignore", "absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        return BY_NAME if name.endswith(".ipynb") and re.match(rb"\s*\{", head) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        walk = Walk(rules)
        walk.values(_cells(load(left.read_bytes())), _cells(load(right.read_bytes())), "")
        found = walk.found()
        if found.sameness is Sameness.CANONICAL:
            return walk.tally.same(
                Sameness.CANONICAL,
                "the same cells and outputs; ids, counts, metadata or spacing differ",
            )
        return found


def _cells(book: Any) -> Any:
    if not isinstance(book, Object) or not isinstance(book.get("cells"), list):
        raise NotExamined("it has no cells; a notebook older than version 4 is not read")
    found = Object({k: v for k, v in book.items() if k not in _APART_OF_BOOK})
    found["cells"] = [_plain(cell) for cell in book["cells"]]
    return found


def _plain(value: Any) -> Any:
    """A cell or an output without what is apart; text in lines as one text."""
    if not isinstance(value, Object):
        return value
    found = Object()
    for key, item in value.items():
        if key in _APART:
            continue
        if (
            key in ("source", "text")
            and isinstance(item, list)
            and all(isinstance(line, str) for line in item)
        ):
            item = "".join(item)
        elif key == "outputs" and isinstance(item, list):
            item = [_plain(output) for output in item]
        elif key == "data" and isinstance(item, Object):
            item = Object({kind: _joined(kind, content) for kind, content in item.items()})
        found[key] = item
    return found


def _joined(kind: str, content: Any) -> Any:
    """An output of a kind as one text; a list that is JSON stays a list."""
    lines = isinstance(content, list) and all(isinstance(line, str) for line in content)
    return "".join(content) if lines and not kind.endswith("json") else content


COMPARATOR = Notebook()

"""SVG: its elements in order. Metadata, comments and white space are apart, and what an id is called: only what it names counts."""

import re
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.interface import BY_CONTENT, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.kinds import aligned, kind_of
from cleanroom.model import Rules, Sameness

_SVG = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?\s*(?:<!--.*?-->\s*)*(?:<!DOCTYPE svg[^>]*>)?\s*(?:<!--.*?-->\s*)*<(?:svg:)?svg\b", re.S
)
_REFERENCE = re.compile(r"url\((['\"]?)#([^)'\"]+)\1\)|^#(.+)$|(?<=[\s;=.])#([\w.:-]+)(?=\.\w)")
_WORDS = re.compile(r"\s+")


class Svg:
    name, version, extra = "svg", "1", "documents"
    options: frozenset[str] = frozenset()

    def handles(self, head: bytes, name: str) -> int:
        return BY_CONTENT if _SVG.match(head) else NO

    def compare(self, left: Path, right: Path, name: str, rules: Rules, inner: Inner) -> Found:
        a, b = _flat(left), _flat(right)
        tally = Tally("element", "elements")
        tally.compared = max(len(a), len(b))
        if a == b:
            return tally.same(Sameness.CANONICAL, "the same elements; metadata, comments, names of ids or white space differ")
        if max(len(a), len(b)) <= 5000:
            pairs = [(i, x, y) for i, x, _, y in aligned(a, b)]
        else:
            pairs = [(i, x, y) for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y] or [(min(len(a), len(b)), None, None)]
        for place, x, y in pairs:
            tally.differs(f"element {place + 1}", x, y, kind_of(x or "", y or "") if x and y else "")
        return tally.different(f"{tally.total} of {tally.compared} elements differ")


def _flat(path: Path) -> list[str]:
    """Every element as one line: depth, name, attributes in order of name, text; ids numbered as they first occur."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, parse

    try:
        root = parse(path).getroot()
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise NotExamined(f"it cannot be read as XML ({type(error).__name__}: {error})") from None
    ids: dict[str, str] = {}
    elements = list(_walk(root, 0))
    for _, element in elements:
        if (name := element.get("id")) is not None:
            if name in ids:
                raise NotExamined(f"the id '{name}' occurs twice")
            ids[name] = f"\0{len(ids)}"
    return [_line(depth, element, ids) for depth, element in elements]


def _walk(element: Any, depth: int) -> Any:
    stack = [(depth, element)]
    while stack:
        level, one = stack.pop()
        if not isinstance(one.tag, str) or one.tag.rpartition("}")[2] == "metadata":
            continue
        yield level, one
        stack += [(level + 1, child) for child in reversed(one)]


def _line(depth: int, element: Any, ids: dict[str, str]) -> str:
    attributes = []
    for name, value in sorted(element.attrib.items()):
        new = ids[value] if name == "id" else _REFERENCE.sub(lambda m: _renamed(m, ids), value)
        attributes.append(f"{name}={new!r}")
    keeps = element.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve" or element.tag.rpartition("}")[2] in (
        "style",
        "script",
    )
    texts = [t if keeps else _WORDS.sub(" ", t).strip() for t in (element.text or "", element.tail or "")]
    text = _REFERENCE.sub(lambda m: _renamed(m, ids), texts[0])
    return " ".join([str(depth), element.tag, *attributes, *([repr(text), repr(texts[1])] if text or texts[1] else ())])


def _renamed(match: "re.Match[str]", ids: dict[str, str]) -> str:
    group = next(i for i in (2, 3, 4) if match[i] is not None)
    start, end = (place - match.start() for place in match.span(group))
    return match[0][:start] + ids.get(match[group], match[group]) + match[0][end:]


COMPARATOR = Svg()

"""SVG: its elements in order.
Metadata, comments and white space are apart, and what an id is called: only what it names counts.

An id that a script or a style could name, or that stands in any other text, keeps its name.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cleanroom.compare.difference_kinds import aligned, kind_of
from cleanroom.compare.formats.interface import BY_CONTENT, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_SVG = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*+(?:<\?[^>]*+>\s*+|<!--(?:(?!-->).)*+-->\s*+|<!DOCTYPE "
    rb"svg[^>]*+>\s*+)*+<(?:svg:)?svg\b",
    re.S,
)
_REFERENCE = re.compile(
    r"url\((['\"]?)#([^)'\"]{1,200})\1\)|^#(.+)$|(?<=[\s;=.])#([\w.:-]+)(?=\.\w)"
)
_WORDS = re.compile(r"[ \t\r\n]+")
_URL = re.compile(r"url\((['\"]?)#([^)'\"]{1,200})\1\)")
_MENTIONED, _DOTTED = re.compile(r"[\w:-]+"), re.compile(r"[\w.:-]+")
_MOST = 64 * 2**20
_SVG_SPACES = ("", "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml")
_OF_TEXT = {"text", "tspan", "textPath", "tref", "a", "altGlyph"}
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


class Svg:
    name, version, extra = "svg", "2", "documents"
    options: frozenset[str] = frozenset()

    def handles(self, head: bytes, name: str) -> int:
        return BY_CONTENT if _SVG.match(head) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        a, b = _flat(left), _flat(right)
        tally = Tally("element", "elements")
        tally.compared = max(len(a), len(b))
        if a == b:
            return tally.same(
                Sameness.CANONICAL,
                "the same elements; metadata, comments, names of ids or white space differ",
            )
        if max(len(a), len(b)) <= 5000:
            pairs = [(i, x, y) for i, x, _, y in aligned(a, b)]
        else:
            pairs = [(i, x, y) for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y] or [
                (min(len(a), len(b)), None, None)
            ]
        for place, x, y in pairs:
            tally.differs(
                f"element {place + 1}", x, y, kind_of(x or "", y or "") if x and y else ""
            )
        return tally.different(f"{tally.total} of {tally.compared} elements differ")


class _Node(NamedTuple):
    """One element: how deep it stands, and whether white space of its text and of what follows it
    counts: none, words, all.
    """

    depth: int
    element: Any
    inside: str
    after: str


def _flat(path: Path) -> list[str]:
    """Every element as one line: depth, name, attributes in order of name, text; ids numbered as
    they first occur.
    """
    if path.stat().st_size > _MOST:
        raise NotExamined(f"it is larger than {_MOST} bytes")
    root, instructions = _parsed(path)
    nodes = list(_walk(root))
    ids: dict[str, str] = {}
    fixed = _mentioned(nodes)
    for node in nodes:
        if (name := node.element.get("id")) is not None:
            if name in ids:
                raise NotExamined(f"the id '{name}' occurs twice")
            ids[name] = name if fixed is None or name in fixed else f"\0{len(ids)}"
    return [*instructions, *(_line(node, ids) for node in nodes)]


def _parsed(path: Path) -> tuple[Any, list[str]]:
    """The root, and the processing instructions: one of them can bring a style sheet."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    instructions: list[str] = []
    try:
        parser = DefusedXMLParser()
        parser.parser.ProcessingInstructionHandler = lambda target, data: instructions.append(
            f"<?{target} {data}?>"
        )
        parser.feed(path.read_bytes())
        return parser.close(), instructions
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise NotExamined(f"it cannot be read as XML ({type(error).__name__}: {error})") from None


def _split(tag: str) -> tuple[str, str]:
    space, _, name = tag.rpartition("}")
    return space.removeprefix("{"), name


def _is_apart(element: Any) -> bool:
    """Metadata that hold nothing which could be drawn, used or run."""
    return _split(element.tag) in ((s, "metadata") for s in _SVG_SPACES) and not any(
        _split(inner.tag)[0] in _SVG_SPACES or "id" in inner.attrib
        for inner in element.iter()
        if inner is not element
    )


def _walk(root: Any) -> Iterator[_Node]:
    """All elements in order; metadata that are apart stand as an empty element, so that what
    follows them is kept.
    """
    always = "all" if _white_space_is_styled(root) else ""
    stack = [(0, root, always, "")]
    while stack:
        depth, element, given, after = stack.pop()
        name_space, name = _split(element.tag)
        space = element.get(_XML_SPACE)
        inside = always or (
            "all"
            if space == "preserve" or name in ("style", "script")
            else given
            if space is None
            else ""
        )
        if not inside and (name in _OF_TEXT or name_space == _SVG_SPACES[-1]):
            inside = "words"
        yield _Node(depth, element, inside, after)
        if not _is_apart(element):
            stack += [(depth + 1, child, inside, inside) for child in reversed(element)]


def _white_space_is_styled(root: Any) -> bool:
    return any(
        "white-space" in text
        for e in root.iter()
        for text in (e.text or "", *e.attrib.keys(), *e.attrib.values())
    )


def _mentioned(nodes: list[_Node]) -> set[str] | None:
    """Words that stand where an id could be named in another way than by a reference; None where
    any id could be named.
    """
    words: set[str] = set()
    names = {name: " " for node in nodes if (name := node.element.get("id")) is not None}
    for node in nodes:
        element, name = node.element, _split(node.element.tag)[1]
        texts = [
            _REFERENCE.sub(lambda m: _renamed(m, names), v)
            for k, v in element.attrib.items()
            if k != "id"
        ]
        content = [element.text or "", element.tail or ""]
        runs = name == "script" or any(_split(key)[1].startswith("on") for key in element.attrib)
        if runs or (name == "style" and re.search(r"[\\\[]|@import", content[0])):
            return None
        texts += (
            [_URL.sub(lambda m: _renamed(m, names), content[0])]
            if name == "style"
            else content[_is_apart(element) :]
        )
        for text in texts:
            words.update(_MENTIONED.findall(text))
            words.update(_DOTTED.findall(text))
    return words


def _line(node: _Node, ids: dict[str, str]) -> str:
    element = node.element
    attributes = []
    for name, value in sorted(element.attrib.items()):
        new = ids[value] if name == "id" else _REFERENCE.sub(lambda m: _renamed(m, ids), value)
        attributes.append(f"{_plain(name)}={new!r}")
    raw = "" if _is_apart(element) else element.text or ""
    texts = [_spaced(raw, node.inside), _spaced(element.tail or "", node.after)]
    if node.inside == "words" and not node.after:
        texts[0] = texts[0].removeprefix(" ")  # at the beginning of a text, none is shown
    if _split(element.tag)[1] == "style":
        texts[0] = _URL.sub(lambda m: _renamed(m, ids), texts[0])
    return " ".join(
        [str(node.depth), _plain(element.tag), *attributes, *map(repr, texts if any(texts) else ())]
    )


def _spaced(text: str, how: str) -> str:
    if how == "all":
        return text
    words = _WORDS.sub(" ", text)
    return words if how == "words" else words.strip(" ")


def _plain(name: str) -> str:
    """A name as it is, unless it could read as a name and more."""
    return repr(name) if re.search(r"[\s='\"]", name) else name


def _renamed(match: "re.Match[str]", ids: dict[str, str]) -> str:
    group = next(i for i in range(2, len(match.groups()) + 1) if match[i] is not None)
    start, end = (place - match.start() for place in match.span(group))
    return match[0][:start] + ids.get(match[group], match[group]) + match[0][end:]


COMPARATOR = Svg()

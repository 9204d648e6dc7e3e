"""HTML: tags, attributes and text in order.
Comments, the order of attributes and white space beside tags of blocks are apart.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

from cleanroom.compare.difference_kinds import aligned
from cleanroom.compare.formats.interface import BY_CONTENT, BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.plain import looks_like_text
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_HTML = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html)\b",
    re.I | re.S,
)
_KEEPS = {"pre", "textarea", "script", "style"}
_RAW = {"title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
"""Where a browser may show a comment as text."""
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
_BLOCKS = {
    "address",
    "article",
    "aside",
    "base",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "li",
    "link",
    "main",
    "menu",
    "meta",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "br",
}
"""White space at the edge of one of these is never shown; beside any other tag it parts two
words.
"""
_END = re.compile(r"</[A-Za-z][^\s/>]*+\s*+>")
_WORDS = re.compile(r"[ \t\n\f\r]+")
_MOST = 64 * 2**20
_OPEN = 100
"""So many tags without an end would each be sought to the end of the file."""


class Html:
    name, version, extra = "html", "2", ""
    options = frozenset({"mask"})

    def handles(self, head: bytes, name: str) -> int:
        if _HTML.match(head):
            return BY_CONTENT
        return (
            BY_NAME if name.endswith((".html", ".htm", ".xhtml")) and looks_like_text(head) else NO
        )

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        sides = [_flat(path) for path in (left, right)]
        tally = Tally("part", "parts")
        masks = [re.compile(m) for m in rules.mask]
        reduced = [[_mask(part, masks) for part in side] for side in sides]
        tally.compared = sum(bool(part.replace("\0m", "").strip()) for part in reduced[0])
        if reduced[0] == reduced[1]:
            if sides[0] != sides[1]:
                return tally.same(Sameness.TOLERANCE, "the same under the declared options")
            return tally.same(
                Sameness.CANONICAL,
                "the same tags and text; comments, order of attributes or white space differ",
            )
        if len(reduced[0]) == len(reduced[1]):
            pairs = [(i, x, y) for i, (x, y) in enumerate(zip(*reduced, strict=True)) if x != y]
        elif max(map(len, reduced)) <= 5000:
            pairs = [(i, x, y) for i, x, _, y in aligned(*reduced)]
        else:
            pairs = []
            tally.differs("parts", f"{len(reduced[0])} parts", f"{len(reduced[1])} parts", "")
        for place, x, y in pairs:
            tally.differs(f"part {place + 1}", x, y)
        return tally.different(f"{tally.total} of {max(map(len, reduced))} parts differ")


def _mask(part: str, masks: "list[re.Pattern[str]]") -> str:
    part = part.replace("\0", "\0n") if masks else part
    for mask in masks:
        part = mask.sub("\0m", part)
    return part


class _Flat(HTMLParser):
    def __init__(self, keeps: bool) -> None:
        """`keeps` where white space counts everywhere."""
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._keeping = int(keeps)
        self._raw = 0
        self._text: list[str] = []
        self._after_block = True

    def _end_of_text(self, block: bool) -> None:
        """The text before a tag, or before what is no tag, as one part."""
        text = "".join(self._text)
        self._text = []
        if not self._keeping:
            text = _WORDS.sub(" ", text)
            text = text.removeprefix(" ") if self._after_block else text
            text = text.removesuffix(" ") if block else text
        if text:
            self.parts.append(text.replace("&", "&amp;").replace("<", "&lt;"))
            self._after_block = False
        self._after_block |= block

    def _tag(self, tag: str, attrs: list[tuple[str, str | None]], end: str) -> None:
        self._end_of_text(tag in _BLOCKS)
        self._after_block = tag in _BLOCKS
        self.parts.append(
            f"<{tag} {sorted(attrs, key=lambda pair: pair[0])}{end}>"
        )  # of two of one name, the first one counts

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag(tag, attrs, "")
        self._keeping += tag in _KEEPS
        self._raw += tag in _RAW

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag(
            tag, attrs, "" if tag in _VOID else " /"
        )  # a browser does not close any other tag here

    def handle_endtag(self, tag: str) -> None:
        self._end_of_text(tag in _BLOCKS)
        self._after_block = tag in _BLOCKS
        self._keeping -= tag in _KEEPS and self._keeping > 0
        self._raw -= tag in _RAW and self._raw > 0
        self.parts.append(f"</{tag}>")

    def parse_endtag(self, i: int) -> int:
        """A tag that ends an element holds only its name; whatever else stands in it counts."""
        end = super().parse_endtag(i)
        whole = self.rawdata[i:end] if end > 0 else ""
        if whole and not _END.fullmatch(whole):
            self._end_of_text(False)
            self.parts.append(whole)
        return end

    def handle_comment(self, data: str) -> None:
        """A comment is apart, but not where a browser would end it earlier, or show it."""
        if self._raw or data.startswith((">", "->", "[if")) or "--!>" in data:
            self._end_of_text(False)
            self.parts.append(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_decl(self, decl: str) -> None:
        self._end_of_text(True)
        self.parts.append(f"<!{decl.lower()}>")

    def handle_pi(self, data: str) -> None:
        self._end_of_text(False)
        self.parts.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self._end_of_text(False)
        self.parts.append(f"<![{data}]>")

    def close(self) -> None:
        super().close()
        self._text.append(self.rawdata)  # what stands in a script that does not end
        self._end_of_text(True)


def _flat(path: Path) -> list[str]:
    if path.stat().st_size > _MOST:
        raise NotExamined(f"it is larger than {_MOST} bytes")
    raw = path.read_bytes()
    if raw.count(b"<", raw.rfind(b">") + 1) > _OPEN:
        raise NotExamined("it ends within a tag")
    parser = _Flat(keeps=b"white-space" in raw)  # a style keeps white space somewhere
    try:
        parser.feed(raw.decode("utf-8-sig"))
        parser.close()
    except (UnicodeDecodeError, AssertionError, RecursionError) as error:
        raise NotExamined(f"it cannot be read as HTML ({error})") from None
    return parser.parts


COMPARATOR = Html()

"""HTML: tags, attributes and text in order. Comments, the order of attributes and white space between tags are apart."""

import re
from html.parser import HTMLParser
from pathlib import Path

from cleanroom.compare.formats.interface import BY_CONTENT, BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.lines import looks_like_text
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.kinds import aligned
from cleanroom.model import Rules, Sameness

_HTML = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.I | re.S)
_KEEPS = {"pre", "textarea", "script", "style"}
_WORDS = re.compile(r"\s+")
_MOST = 64 * 2**20


class Html:
    name, version, extra = "html", "1", ""
    options = frozenset({"mask"})

    def handles(self, head: bytes, name: str) -> int:
        if _HTML.match(head):
            return BY_CONTENT
        return BY_NAME if name.endswith((".html", ".htm", ".xhtml")) and looks_like_text(head) else NO

    def compare(self, left: Path, right: Path, name: str, rules: Rules, inner: Inner) -> Found:
        sides = [_flat(path) for path in (left, right)]
        tally = Tally("part", "parts")
        masks = [re.compile(m) for m in rules.mask]
        reduced = [[_mask(part, masks) for part in side] for side in sides]
        tally.compared = sum(bool(part.replace("\0", "").strip()) for part in reduced[0])
        if reduced[0] == reduced[1]:
            if sides[0] != sides[1]:
                return tally.same(Sameness.TOLERANCE, "the same under the declared options")
            return tally.same(Sameness.CANONICAL, "the same tags and text; comments, order of attributes or white space differ")
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
    for mask in masks:
        part = mask.sub("\0", part)
    return part


class _Flat(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._keeping = 0
        self._text: list[str] = []

    def _end_of_text(self) -> None:
        text = "".join(self._text)
        self._text = []
        text = text if self._keeping else _WORDS.sub(" ", text).strip()
        if text:
            self.parts.append(text.replace("&", "&amp;").replace("<", "&lt;"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_of_text()
        self._keeping += tag in _KEEPS
        self.parts.append(f"<{tag} {sorted(attrs, key=repr)}>")

    def handle_endtag(self, tag: str) -> None:
        self._end_of_text()
        self._keeping -= tag in _KEEPS and self._keeping > 0
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_decl(self, decl: str) -> None:
        self._end_of_text()
        self.parts.append(f"<!{decl.lower()}>")

    def handle_pi(self, data: str) -> None:
        self._end_of_text()
        self.parts.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self._end_of_text()
        self.parts.append(f"<![{data}]>")

    def close(self) -> None:
        super().close()
        self._end_of_text()


def _flat(path: Path) -> list[str]:
    if path.stat().st_size > _MOST:
        raise NotExamined(f"it is larger than {_MOST} bytes")
    parser = _Flat()
    try:
        parser.feed(path.read_bytes().decode("utf-8-sig"))
        parser.close()
    except (UnicodeDecodeError, AssertionError, RecursionError) as error:
        raise NotExamined(f"it cannot be read as HTML ({error})") from None
    return parser.parts


COMPARATOR = Html()

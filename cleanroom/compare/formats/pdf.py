"""PDF: its objects, reached from the catalogue.
Dates, ids, producer, XMP metadata, numbering and compression of objects are apart.

With the option `appearance`, pages that look the same and have the same text count as the same.
Encrypted files are not examined.
"""

import mmap
import re
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.bound import same_tails
from cleanroom.compare.formats.interface import (
    FOR_CERTAIN,
    NO,
    Found,
    Inner,
    NotExamined,
    different,
)
from cleanroom.compare.formats.pages import compare_pages
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_APART = {"/CreationDate", "/ModDate", "/Producer", "/Creator", "/PTEX.Fullbanner"}
_DATE = re.compile(r"D:[0-9]{4,14}(?:[-+Z][0-9'Z]*)?$")
_MOST = 500_000


class Pdf:
    name, version, extra = "pdf", "2", "documents"
    options = frozenset({"appearance"})

    def handles(self, head: bytes, name: str) -> int:
        return FOR_CERTAIN if head[:1024].lstrip(b"\0\r\n\t ").startswith(b"%PDF-") else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import pikepdf

        tally = Tally("object", "objects")
        try:
            with (
                pikepdf.open(left, attempt_recovery=False) as a,
                pikepdf.open(right, attempt_recovery=False) as b,
            ):
                if a.is_encrypted or b.is_encrypted:
                    raise NotExamined("it is encrypted")
                if not same_tails(left, right, (_end(left), _end(right))):
                    return different("other bytes after the end")
                _Walk(pikepdf, tally).objects(a.Root, b.Root, "")
                if "/Info" in a.trailer or "/Info" in b.trailer:
                    _Walk(pikepdf, tally).objects(_info(pikepdf, a), _info(pikepdf, b), "/Info")
        except (pikepdf.PdfError, ValueError, RuntimeError, OSError, RecursionError) as error:
            raise NotExamined(
                "it cannot be read as PDF "
                f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
            ) from None
        if not tally.total:
            return tally.same(
                Sameness.CANONICAL, "the same objects; dates, ids, producer or compression differ"
            )
        return compare_pages(left, right, tally, rules)


def _end(path: Path) -> int:
    """Where the last mark of an end and the line end after it end."""
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        end = content.rfind(b"%%EOF") + 5
        return end + len(content[end : end + 2]) - len(content[end : end + 2].lstrip(b"\r\n"))


def _info(pikepdf: Any, pdf: Any) -> Any:
    return pdf.trailer.get("/Info", pikepdf.Dictionary())


class _Walk:
    """Two graphs of objects in step; a pair that was met is not walked again, so that circles
    end.
    """

    def __init__(self, pikepdf: Any, tally: Tally) -> None:
        self._pikepdf, self._tally = pikepdf, tally
        self._met: dict[tuple[Any, Any], None] = {}

    def objects(self, a: Any, b: Any, place: str) -> None:
        stack = [(a, b, place)]
        while stack:
            x, y, at = stack.pop()
            self._tally.compared += 1
            if self._tally.compared > _MOST:
                raise NotExamined("it has too many objects")
            if not (isinstance(x, self._pikepdf.Object) and isinstance(y, self._pikepdf.Object)):
                if type(x) is not type(y) or x != y:
                    self._tally.differs(at, str(x), str(y))
                continue
            pair = x.objgen, y.objgen
            if x.is_indirect and y.is_indirect:
                if pair in self._met:
                    continue
                self._met[pair] = None
            stack += self._children(x, y, at)

    def _children(self, x: Any, y: Any, at: str) -> list[tuple[Any, Any, str]]:
        pikepdf = self._pikepdf
        if x._type_code != y._type_code:
            self._tally.differs(at, x._type_name, y._type_name)
            return []
        if isinstance(x, pikepdf.Array):
            if len(x) != len(y):
                self._tally.differs(at, f"{len(x)} items", f"{len(y)} items")
                return []
            return [
                (p, q, f"{at}[{i}]") for i, (p, q) in enumerate(zip(list(x), list(y), strict=True))
            ]
        if isinstance(x, (pikepdf.Dictionary, pikepdf.Stream)):
            return self._dictionaries(x, y, at)
        if bytes(x.unparse()) != bytes(y.unparse()):
            self._tally.differs(at, str(x), str(y))
        return []

    def _dictionaries(self, x: Any, y: Any, at: str) -> list[tuple[Any, Any, str]]:
        skip = {"": {"/Metadata"}, "/Info": _APART}.get(at, set())
        stream = isinstance(x, self._pikepdf.Stream)
        if stream:
            skip |= {"/Length"}
            contents = [_content(side) for side in (x, y)]
            if contents[0][0] == contents[1][0] == "decoded":
                skip |= {"/Filter", "/DecodeParms"}
            if contents[0][1] != contents[1][1]:
                self._tally.differs(
                    f"{at} (stream)",
                    f"{len(contents[0][1])} bytes",
                    f"{len(contents[1][1])} bytes",
                    "",
                )
        keys = (set(x.keys()) | set(y.keys())) - skip
        found = []
        for key in sorted(keys):
            if key not in x or key not in y:
                self._tally.differs(
                    f"{at}{key}", "there" if key in x else None, "there" if key in y else None, ""
                )
            elif not (
                key == "/LastModified" and all(_DATE.match(str(side[key])) for side in (x, y))
            ):
                found.append((x[key], y[key], f"{at}{key}"))
        return found


def _content(stream: Any) -> tuple[str, bytes]:
    """A stream without its general compression where that is known, else as it stands."""
    try:
        return "decoded", bytes(stream.read_bytes())
    except Exception:
        return "raw", bytes(stream.read_raw_bytes())


COMPARATOR = Pdf()

"""Pages of a PDF as they look: text, and pixels at 100 dots per inch.
Not here: whether looking the same is enough.
"""

import base64
import io
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.compare.formats.interface import Found, NotExamined
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import LEFT, RIGHT, Sameness
from cleanroom.values.declared import CompareOptions

_SCALE = 100 / 72
_MOST_PAGES = 200
_MOST_POINTS = 5000


def compare_pages(left: Path, right: Path, objects: Tally, rules: CompareOptions) -> Found:
    """The answer for two files whose objects differ: which pages look different.
    Raises: NotExamined.
    """
    import pypdfium2 as pdfium

    try:
        a, b = pdfium.PdfDocument(left), pdfium.PdfDocument(right)
        with a, b:
            return _looks(a, b, objects, rules)
    except pdfium.PdfiumError as error:
        raise NotExamined(f"its pages cannot be rendered ({error})") from None


def _looks(a: Any, b: Any, objects: Tally, rules: CompareOptions) -> Found:
    tally = Tally("page", "pages")
    pictures: tuple[str, ...] = ()
    if len(a) != len(b):
        return tally.different(f"{len(a)} pages in {LEFT}, {len(b)} in {RIGHT}")
    if len(a) > _MOST_PAGES:
        return objects.different(
            f"{objects.total} objects differ; its {len(a)} pages are too many to look at"
        )
    for number in range(len(a)):
        tally.compared += 1
        texts, looks = zip(*(_page(document, number) for document in (a, b)), strict=True)
        if texts[0] != texts[1]:
            lines = [t.splitlines() for t in texts]
            x, y = next(
                ((p, q) for p, q in zip(*lines, strict=False) if p != q), (texts[0], texts[1])
            )
            tally.differs(f"page {number + 1}, text", x, y)
        elif looks[0].size != looks[1].size or looks[0].tobytes() != looks[1].tobytes():
            tally.differs(f"page {number + 1}, looks", "same text", "same text", "")
            pictures = pictures or _shown(looks)
    facts = (f"{objects.total} objects differ",)
    if tally.total:
        return msgspec.structs.replace(
            tally.different(f"{tally.total} of {tally.compared} pages differ", None, None, facts),
            pictures=pictures,
        )
    if rules.appearance:
        return tally.same(
            Sameness.TOLERANCE, "every page has the same text and looks the same", facts
        )
    note = "pages have the same text and look the same, but objects differ"
    return msgspec.structs.replace(
        objects.different(note), suggestion=CompareOptions(appearance=True), kinds=()
    )


def _page(document: "object", number: int) -> "tuple[str, object]":
    page = document[number]  # type: ignore[index]
    if max(page.get_size()) > _MOST_POINTS:
        raise NotExamined(f"page {number + 1} is too large to render")
    return page.get_textpage().get_text_range(), page.render(scale=_SCALE).to_pil()


def _shown(looks: "tuple[object, ...]") -> tuple[str, ...]:
    found = []
    for picture in looks:
        small = picture.copy()  # type: ignore[attr-defined]
        small.thumbnail((360, 360))
        out = io.BytesIO()
        small.save(out, "PNG", optimize=True)
        found.append("data:image/png;base64," + base64.b64encode(out.getvalue()).decode())
    return tuple(found) if sum(map(len, found)) < 240_000 else ()

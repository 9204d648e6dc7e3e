"""A file of plain text: how it is encoded, how it ends its lines, and its lines.
Not here: what lines mean.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cleanroom.compare.formats.interface import GENERAL, NO

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass
class Text:
    """One file: how it is encoded and ends its lines, and its lines."""

    path: Path
    encoding: str = "utf-8"
    bom: bool = False
    crlf: bool = field(default=False, init=False)
    unended: bool = field(default=False, init=False)

    def lines(self) -> Iterator[str]:
        last = "\n"
        errors = "strict" if self.encoding == "utf-16" else "surrogateescape"
        with self.path.open(encoding=self.encoding, errors=errors, newline="\n") as stream:
            for number, line in enumerate(stream):
                last = line
                text = line[1:] if number == 0 and self.bom and self.encoding == "utf-8" else line
                if text.endswith("\r\n"):
                    self.crlf = True
                    yield text[:-2]
                else:
                    yield text.removesuffix("\n")
        self.unended = not last.endswith("\n")

    @property
    def form(self) -> str:
        mark, end = (
            " with a byte order mark" if self.bom else "",
            ", last line not ended" if self.unended else "",
        )
        return f"{self.encoding}{mark}, {'CRLF' if self.crlf else 'LF'}{end}"


def opened_text(path: Path) -> Text:
    with path.open("rb") as stream:
        head = stream.read(4)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return Text(path, encoding, True)
    return Text(path)


def looks_like_text(head: bytes) -> bool:
    """No control characters but white space, or UTF-16 with its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not re.search(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]", head)


def text_like(head: bytes) -> int:
    """Whether this could be plain text."""
    return GENERAL if looks_like_text(head) else NO

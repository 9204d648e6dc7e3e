"""Any bytes: where they differ first.
What nobody knows a format for ends here; so does what is never loaded.
"""

from pathlib import Path

from cleanroom.compare.formats.interface import NO, Found, Inner, different
from cleanroom.values.comparison import LEFT, RIGHT, Excerpt, Sameness
from cleanroom.values.declared import CompareOptions

_BLOCK = 2**18
_SHOWN = 16


class Binary:
    name, version, extra = "binary", "1", ""
    options: frozenset[str] = frozenset()

    def handles(self, head: bytes, name: str) -> int:
        return NO  # it is asked where nobody else is sure

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        return first_difference(left, right)


def first_difference(left: Path, right: Path, why: str = "") -> Found:
    """Different, with the offset of the first byte that differs and what stands there."""
    sizes = left.stat().st_size, right.stat().st_size
    offset = _offset(left, right)
    said = (
        f"{sizes[0]} bytes in {LEFT}, {sizes[1]} in {RIGHT}"
        if sizes[0] != sizes[1]
        else f"{sizes[0]} bytes each"
    )
    if offset < 0:
        return different(f"{why + '; ' if why else ''}{said}, but no byte differs")
    if offset >= min(sizes):
        facts: tuple[str, ...] = ("the shorter one is the beginning of the other",)
        excerpts: tuple[Excerpt, ...] = ()
    else:
        facts = (f"the first byte that differs is at offset {offset}",)
        excerpts = (
            Excerpt(where=f"offset {offset}", left=_hex(left, offset), right=_hex(right, offset)),
        )
    return Found(
        sameness=Sameness.DIFFERENT,
        note=f"{why + '; ' if why else ''}{said}",
        facts=facts,
        excerpts=excerpts,
    )


def same_bytes(left: Path, right: Path) -> bool:
    """Whether two files hold the same, read here and now.

    `filecmp.cmp` will not do: it remembers its answers by name, size and time, and members of an
    archive are laid out one after the other under one name, within one tick of a clock.
    """
    return left.stat().st_size == right.stat().st_size and _offset(left, right) < 0


def _offset(left: Path, right: Path) -> int:
    """The offset of the first byte that differs or is missing, -1 where all are the same."""
    buffers = bytearray(_BLOCK), bytearray(_BLOCK)
    position = 0
    with left.open("rb", buffering=0) as a, right.open("rb", buffering=0) as b:
        while True:
            counts = _fill(a, buffers[0]), _fill(b, buffers[1])
            if counts[0] == counts[1] == _BLOCK:
                same = buffers[0] == buffers[1]
            else:
                same = counts[0] == counts[1] and buffers[0][: counts[0]] == buffers[1][: counts[1]]
            if not same:
                shorter = min(counts)
                pairs = zip(buffers[0][:shorter], buffers[1][:shorter], strict=True)
                return position + next((i for i, (x, y) in enumerate(pairs) if x != y), shorter)
            if counts[0] < _BLOCK:
                return -1
            position += _BLOCK


def _fill(stream: "object", buffer: bytearray) -> int:
    count = stream.readinto(buffer)  # type: ignore[attr-defined]
    while count < len(buffer):
        more = stream.readinto(memoryview(buffer)[count:])  # type: ignore[attr-defined]
        if not more:
            break
        count += more
    return int(count)


def _hex(path: Path, offset: int) -> str:
    with path.open("rb") as stream:
        stream.seek(max(0, offset - 4))
        return stream.read(_SHOWN).hex(" ")


COMPARATOR = Binary()

"""PNG, JPEG, TIFF, GIF, WebP and BMP: pixels of every frame.
Text, dates and software in the metadata are apart; what changes how a picture looks (colour
profile, gamma, orientation, transparency) is not.
"""

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.compare.formats.bound import same_tails
from cleanroom.compare.formats.interface import (
    FOR_CERTAIN,
    NO,
    Found,
    Inner,
    NotExamined,
    different,
)
from cleanroom.compare.formats.picture_parts import parts, tags
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import LEFT, RIGHT, Sameness
from cleanroom.values.declared import CompareOptions

PIXELS = 150_000_000
"""A larger picture is not decoded."""
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8", b"BM")
_LOOKS = (
    "icc_profile",
    "gamma",
    "transparency",
    "chromaticity",
    "duration",
    "loop",
    "disposal",
    "blend",
    "srgb",
    "background",
    "default_image",
)
_FORMS = ("PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP")
"""Nothing else is opened, whatever was asked: for some formats Pillow starts other programs."""
_ALL_PIXELS = 20 * PIXELS
_HALF = 127.5
"""The same of all frames together."""
_ORIENTATION = 274
_SHOWN = 360
_MOST = 60_000


class Image:
    name, version, extra = "image", "2", "images"
    options = frozenset({"absolute"})

    def handles(self, head: bytes, name: str) -> int:
        return (
            FOR_CERTAIN
            if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
            else NO
        )

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        with _decoder() as pil, _opened(pil, left) as a, _opened(pil, right) as b:
            try:
                return _unread(left, right, a, b) or _compare(pil, a, b, rules)
            except (OSError, SyntaxError, ValueError, EOFError, Warning, MemoryError) as error:
                raise NotExamined(
                    "it cannot be decoded "
                    f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
                ) from None


def _unread(left: Path, right: Path, a: Any, b: Any) -> Found | None:
    """The answer where the files differ in parts that no decoder reads."""
    (here, end), (there, other) = parts(left, a.format), parts(right, b.format)
    if a.format == b.format and here != there:
        return different(
            "parts that are not decoded differ: "
            f"{', '.join(kind for kind, _ in here + there)[:200]}"
        )
    return (
        None
        if same_tails(left, right, (end, other))
        else different("other bytes after the end of the picture")
    )


@contextmanager
def _decoder() -> Iterator[Any]:
    import PIL.Image

    PIL.Image.MAX_IMAGE_PIXELS = PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
        yield PIL.Image


@contextmanager
def _opened(pil: Any, path: Path) -> Iterator[Any]:
    try:
        with pil.open(path, formats=_FORMS) as picture:
            yield picture
    except (OSError, SyntaxError, ValueError, Warning, pil.DecompressionBombError) as error:
        raise NotExamined(f"it cannot be decoded ({str(error).partition(' file ')[0]})") from None


def _frames(picture: Any) -> Iterator[Any]:
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        if not picture.mode.startswith("I") and any(
            ";16" in str(tile[3]) for tile in getattr(picture, "tile", ())
        ):
            raise NotExamined(
                "it has 16 bits a channel in several channels, which are not decoded in full"
            )
        picture.load()
        yield picture


def _compare(pil: Any, a: Any, b: Any, rules: CompareOptions) -> Found:
    from PIL import ImageChops

    if a.format != b.format:
        return different(f"{a.format} in {LEFT}, {b.format} in {RIGHT}")
    if (a.size, a.mode, getattr(a, "n_frames", 1)) != (b.size, b.mode, getattr(b, "n_frames", 1)):
        said = [
            f"{p.size[0]} x {p.size[1]} {p.mode}, {getattr(p, 'n_frames', 1)} frames"
            for p in (a, b)
        ]
        return different(f"{said[0]} in {LEFT}, {said[1]} in {RIGHT}")
    if a.size[0] * a.size[1] * getattr(a, "n_frames", 1) > _ALL_PIXELS:
        raise NotExamined("its frames together are too large")
    tally = Tally("pixel", "pixels")
    bent = False
    pictures: tuple[str, ...] = ()
    for number, (x, y) in enumerate(zip_longest(_frames(a), _frames(b)), 1):
        tally.compared += x.size[0] * x.size[1]
        looks = [
            {k: x.info.get(k) for k in _LOOKS}
            | {"orientation": x.getexif().get(_ORIENTATION), "tags": tags(x)}
            for x in (x, y)
        ]
        if looks[0] != looks[1]:
            keys = [k for k in looks[0] if looks[0][k] != looks[1][k]]
            tally.differs(
                f"frame {number}, {', '.join(keys)}",
                repr([looks[0][k] for k in keys])[:200],
                repr([looks[1][k] for k in keys])[:200],
                "",
            )
        if (x.size, x.mode) != (y.size, y.mode):
            return different(
                f"frame {number}: {x.size[0]} x {x.size[1]} {x.mode} here, {y.size[0]} x "
                f"{y.size[1]} {y.mode} there"
            )
        if x.tobytes() == y.tobytes() and x.getpalette(None) == y.getpalette(None):
            continue
        if x.mode in ("P", "PA"):
            x, y = x.convert("RGBA"), y.convert("RGBA")
        if x.tobytes() == y.tobytes():
            continue
        if x.mode.startswith(("I", "F")):
            bent = _wide(x, y, number, tally, rules) or bent
            continue
        change = ImageChops.difference(x, y)
        largest = max(
            high
            for _, high in (
                change.getextrema() if len(change.getbands()) > 1 else (change.getextrema(),)
            )
        )
        if rules.absolute and largest <= rules.absolute:
            bent = True
            tally.size = _HALF  # of what a channel holds: beyond it, dark passes for light
            continue
        mask = _mask(change)
        count = x.size[0] * x.size[1] - mask.histogram()[0]
        box = mask.getbbox()
        at = (
            box[0],
            next(
                i for i in range(x.size[1]) if mask.crop((box[0], i, box[0] + 1, i + 1)).getbbox()
            ),
        )
        tally.differs(
            f"frame {number}, first at column {at[0]}, row {at[1]}",
            str(x.getpixel(at)),
            str(y.getpixel(at)),
            "",
        )
        tally.total += count - 1
        tally.number(f"channel values of frame {number}", 0.0, float(largest))
        pictures = pictures or _shown(pil, x, y, mask, box)
    if tally.total:
        return msgspec.structs.replace(
            tally.different(f"{tally.total} pixels differ"), kinds=(), pictures=pictures
        )
    if bent:
        return tally.same(Sameness.TOLERANCE, "the same pixels within the declared deviation")
    return tally.same(Sameness.CANONICAL, "the same pixels; metadata or compression differ")


def _mask(change: Any) -> Any:
    """White where any channel differs."""
    from PIL import ImageChops

    bands = change.split()
    whole = bands[0]
    for band in bands[1:]:
        whole = ImageChops.lighter(whole, band)
    return whole.point(lambda v: 255 if v else 0, "L") if whole.mode == "L" else whole.convert("L")


def _wide(x: Any, y: Any, number: int, tally: Tally, rules: CompareOptions) -> bool:
    """Pixels of 16 and 32 bits, as arrays; returns whether only the tolerance made some the
    same.
    """
    import numpy as np

    from cleanroom.compare.formats.arrays import compare_arrays

    return bool(compare_arrays(np.asarray(x), np.asarray(y), f"frame {number}", tally, rules))


def _shown(pil: Any, x: Any, y: Any, mask: Any, box: tuple[int, int, int, int]) -> tuple[str, ...]:
    """Both pictures and the second one with what differs marked, small enough for a report."""
    scale = min(1.0, _SHOWN / max(x.size))
    size = (max(1, round(x.size[0] * scale)), max(1, round(x.size[1] * scale)))
    from PIL import ImageDraw

    marked = y.convert("L").convert("RGB")
    marked.paste((208, 32, 64), (0, 0), mask)
    small = marked.resize(size)
    ImageDraw.Draw(small).rectangle(
        [max(0, round(v * scale) + d) for v, d in zip(box, (-3, -3, 2, 2), strict=True)],
        outline=(208, 32, 64),
    )
    found = []
    for picture in (x.convert("RGB").resize(size), y.convert("RGB").resize(size), small):
        out = io.BytesIO()
        picture.save(out, "PNG", optimize=True)
        if out.tell() > _MOST:
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=60)
        kind = "png" if out.getvalue().startswith(b"\x89") else "jpeg"
        found.append(f"data:image/{kind};base64," + base64.b64encode(out.getvalue()).decode())
    return tuple(found) if all(len(f) <= 2 * _MOST for f in found) else ()


COMPARATOR = Image()

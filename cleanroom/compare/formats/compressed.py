"""gzip, bgzf, bzip2, xz and zstandard: what they hold.
The same stream in another wrapping is `payload`; else the streams are compared.
"""

import shutil
import tempfile
from pathlib import Path

import msgspec

from cleanroom.compare.formats.interface import BY_CONTENT, NO, Found, Inner, NotExamined, different
from cleanroom.compare.payload import NoPayload, container_in, container_of, opened, payload_digest
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_STREAMS = {"gzip", "bzip2", "xz", "zstd"}
_SUFFIXES = (".gz", ".bgz", ".bz2", ".xz", ".zst", ".zstd")
LEVEL = "compression level or time"


class Compressed:
    name, version, extra = "compressed", "3", "archives"
    options: frozenset[str] = frozenset()

    def handles(self, head: bytes, name: str) -> int:
        return BY_CONTENT if container_of(head) in _STREAMS else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        kinds = [container_in(path) for path in (left, right)]
        try:
            if kinds[0] == kinds[1] and payload_digest(left) == payload_digest(right):
                return Found(
                    sameness=Sameness.PAYLOAD,
                    note=f"the same content in another {kinds[0]} wrapping",
                    comparator=f"{kinds[0]}/3",
                    kinds=(LEVEL,),
                )
            with tempfile.TemporaryDirectory() as folder:
                streams = [Path(folder) / side for side in ("left", "right")]
                beside = [
                    _unpack(path, to) for path, to in zip((left, right), streams, strict=True)
                ]
                if beside[0] != beside[1]:
                    return different(
                        "what the wrapping carries beside the stream differs (a comment, a "
                        "field, a frame)"
                    )
                found = inner(streams[0], streams[1], _without_suffix(name))
        except NoPayload as error:
            raise NotExamined(str(error)) from None
        if found.sameness is Sameness.BYTES:
            return Found(
                sameness=Sameness.CANONICAL,
                note=f"the same content, {kinds[0]} here and {kinds[1]} there",
                comparator="compressed/3",
            )
        return msgspec.structs.replace(
            found,
            comparator=f"{kinds[0]} > {found.comparator}",
            note=f"within {kinds[0]}: {found.note}",
        )


def _unpack(path: Path, to: Path) -> bytes:
    """Write the stream of a file; returns the digest of what else it carries."""
    with opened(path) as (stream, whole), to.open("wb") as out:
        shutil.copyfileobj(stream, out, 2**20)
    return whole.beside


def _without_suffix(name: str) -> str:
    if name.endswith(".tgz"):
        return name[:-4] + ".tar"
    return next((name[: -len(s)] for s in _SUFFIXES if name.endswith(s)), name)


COMPARATOR = Compressed()

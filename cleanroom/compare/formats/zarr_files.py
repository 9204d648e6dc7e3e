"""The files of a zarr store: which of them nobody reads, and whether a summary of the metadata says
what its parts say.

Not here: groups and arrays, which zarr itself reads.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OF_VERSION = {2: {".zgroup", ".zarray", ".zattrs", ".zmetadata"}, 3: {"zarr.json"}}
_PARTS = {".zgroup", ".zarray", ".zattrs"}
_DIGITS = re.compile(r"[0-9]+")


def unread(folder: Path, nodes: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """(path in the store, file) of what is neither metadata of a group or array nor a chunk within
    its bounds.
    """
    known = {place.strip("/"): node for place, node in nodes.items()}
    for file in folder.rglob("*"):
        if file.is_dir():
            continue
        inside = file.relative_to(folder).as_posix()
        owner, _, name = inside.rpartition("/")
        if owner in known and name in _OF_VERSION[known[owner].metadata.zarr_format]:
            continue
        parents = [""] + [inside[: m.start()] for m in re.finditer("/", inside)]
        array = next(
            (known[p] for p in reversed(parents) if p in known and hasattr(known[p], "shape")), None
        )
        prefix = next((p for p in reversed(parents) if known.get(p) is array), "")
        if array is None or not _is_chunk(array, inside.removeprefix(prefix).strip("/")):
            yield inside, file


def _is_chunk(array: Any, key: str) -> bool:
    places = tuple(int(digits) for digits in _DIGITS.findall(key) if len(digits) < 20)
    sizes = getattr(array, "shards", None) or array.chunks
    if not array.shape:
        places = ()
    if len(places) != len(array.shape) or any(
        at * size >= length for at, size, length in zip(places, sizes, array.shape, strict=True)
    ):
        return False
    return bool(array.metadata.encode_chunk_key(places) == key)


def summary(folder: Path) -> Any:
    """What a summary of the metadata says beyond its parts; None where there is none, or it says
    the same. Raises: ValueError.
    """
    said = []
    for file in sorted((*folder.rglob(".zmetadata"), *folder.rglob("zarr.json"))):
        value = json.loads(file.read_bytes())
        modern = file.name == "zarr.json"
        held = value.get("consolidated_metadata") if modern else value
        if held is None:
            continue
        claimed = held.get("metadata") if isinstance(held, dict) else None
        agrees = (
            isinstance(claimed, dict)
            and claimed == _parts(file, modern, claimed)
            and not any(map(_beyond, claimed.values()))
        )
        if not agrees:
            said.append((file.relative_to(folder).as_posix(), json.dumps(held, sort_keys=True)))
    return said or None


def _parts(summary: Path, modern: bool, claimed: dict[str, Any]) -> dict[str, Any]:
    """What stands in the files themselves, as the summary would say it."""
    found = {}
    root = summary.parent
    for file in root.rglob("*"):
        inside = file.relative_to(root).as_posix()
        if modern and file.name == "zarr.json" and file != summary:
            place = inside.rpartition("/")[0]
            kept = claimed.get(place)
            nested = kept.get("consolidated_metadata") if isinstance(kept, dict) else None
            found[place] = json.loads(file.read_bytes()) | (
                {"consolidated_metadata": nested} if nested is not None else {}
            )
        elif not modern and file.name in _PARTS:
            found[inside] = json.loads(file.read_bytes())
    return found


def _beyond(part: Any) -> bool:
    """Whether a part of a summary brings a summary of its own that is not empty."""
    nested = part.get("consolidated_metadata") if isinstance(part, dict) else None
    return isinstance(nested, dict) and nested.get("metadata") != {}

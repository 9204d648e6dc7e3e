"""A zarr store is compared as one thing: what chunks, codecs and layout say is apart, what arrays
hold is not.
"""

import datetime
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec

from cleanroom.compare.artifacts import ComparisonContext, compare_artifacts
from cleanroom.compare.bundles import bundle_of
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.suggest import as_yaml, suggest
from cleanroom.config import read_settings
from cleanroom.values.comparison import Comparison, Difference, Relation, Sameness
from cleanroom.values.declared import CompareOptions, Declared, Equivalence
from cleanroom.values.run import Artifact, Evidence
from tests.unit.values import artifact, attempt, evidence, job

TODAY = datetime.date(2030, 1, 1)
Make = Callable[[Path], None]


def store(
    values: Any,
    *,
    codec: Any = None,
    chunks: tuple[int, ...] = (4,),
    version: int = 3,
    **attributes: Any,
) -> Make:
    def make(folder: Path) -> None:
        group = zarr.open_group(folder, mode="w", zarr_format=version)
        group.attrs.update(attributes)
        data = np.asarray(values)
        options = {"compressors": codec} if codec is not None else {}
        group.create_array(
            "x", shape=data.shape, dtype=data.dtype, chunks=chunks, fill_value=7, **options
        )[:] = data

    return make


def compared(
    tmp_path: Path, left: Make, right: Make, *declared: Equivalence
) -> tuple[list[Difference], ComparisonContext, Evidence]:
    """Both stores as `out.zarr` of a run each."""
    sides = []
    for name, make in (("l", left), ("r", right)):
        make(tmp_path / name)
        artifacts: list[Artifact] = []
        for file in sorted((tmp_path / name).rglob("*")):
            if file.is_file():
                sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
                (tmp_path / sha256).write_bytes(file.read_bytes())
                artifacts.append(
                    msgspec.structs.replace(
                        artifact(f"out.zarr/{file.relative_to(tmp_path / name)}"), sha256=sha256
                    )
                )
        sides.append(
            evidence(name, artifacts=tuple(artifacts), attempts=(attempt(job("save", "out.zarr")),))
        )
    with Examiner(1) as examiner:
        ground = ComparisonContext(
            lambda sha256: tmp_path / sha256, examiner, Declared(equivalences=declared), TODAY
        )
        found, *_ = compare_artifacts(sides[0], sides[1], ground)
    return list(found), ground, sides[0]


def accepting(**options: Any) -> Equivalence:
    return Equivalence(
        comparator="zarr",
        paths=("out.zarr/**",),
        options=CompareOptions(**options),
        reason="r",
        owner="o",
        expires=datetime.date(2031, 1, 1),
    )


VALUES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
NUDGED = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0 + 1e-12]


@pytest.mark.parametrize(
    ("left", "right", "options", "sameness"),
    [
        (
            store(VALUES, codec=GzipCodec(level=1)),
            store(VALUES, codec=GzipCodec(level=9)),
            {},
            Sameness.CANONICAL,
        ),
        (
            store(VALUES, codec=BloscCodec(clevel=1)),
            store(VALUES, codec=BloscCodec(clevel=9, cname="zlib")),
            {},
            Sameness.CANONICAL,
        ),
        (store(VALUES, version=2), store(VALUES, version=2, made="now"), {}, Sameness.DIFFERENT),
        (
            store(VALUES, version=2),
            store(VALUES, version=2, made="now"),
            {"ignore": ("made",)},
            Sameness.TOLERANCE,
        ),
        (store(VALUES), store(NUDGED), {}, Sameness.DIFFERENT),
        (store(VALUES), store(NUDGED), {"relative": 1e-9}, Sameness.TOLERANCE),
        (store(VALUES), store([0.0, *VALUES[1:]]), {}, Sameness.DIFFERENT),
        (store(VALUES), store(np.array(VALUES, "f4")), {}, Sameness.DIFFERENT),
        (store([0.0, 1.0]), store([-0.0, 1.0]), {}, Sameness.DIFFERENT),
        (store(VALUES), store(VALUES, unit="m"), {}, Sameness.DIFFERENT),
    ],
)
def test_stores(
    tmp_path: Path, left: Make, right: Make, options: dict[str, Any], sameness: Sameness
) -> None:
    found, *_ = compared(tmp_path, left, right)
    assert found
    assert all(d.decides for d in found), "nothing is accepted by itself"
    assert {d.bundle for d in found if d.sameness not in (Sameness.MISSING, Sameness.EXTRA)} == {
        "out.zarr"
    }
    found, *_ = compared(tmp_path, left, right, accepting(**options))
    assert {d.sameness for d in found} == {sameness}, [d.note for d in found]
    assert any(d.decides for d in found) is (sameness is Sameness.DIFFERENT)


def test_a_chunk_that_only_one_side_has_is_never_covered(tmp_path: Path) -> None:
    """An absent chunk means the fill value; a missing file does not pass all the same."""

    def full(folder: Path) -> None:
        with zarr.config.set({"array.write_empty_chunks": True}):
            store([7.0] * 4 + [1.0, 1.0])(folder)

    found, *_ = compared(tmp_path, store([7.0] * 4 + [1.0, 1.0]), full, accepting())
    assert [(d.path, d.sameness, d.decides) for d in found] == [
        ("out.zarr/x/c/0", Sameness.EXTRA, True)
    ]


@pytest.mark.parametrize("codec", ["pickle", "json2", None])
def test_a_codec_that_is_not_known_to_only_decode_is_not_opened(
    tmp_path: Path, codec: str | None
) -> None:
    def evil(folder: Path) -> None:
        store(VALUES, version=2)(folder)
        file = folder / "x" / ".zarray"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"filters": [{"id": codec}]}))

    found, *_ = compared(tmp_path, evil, store(VALUES, version=2), accepting())
    assert {(d.sameness, "is not opened" in d.note) for d in found} == {(Sameness.DIFFERENT, True)}


def test_metadata_that_is_broken_or_deep(tmp_path: Path) -> None:
    def deep(folder: Path) -> None:
        store(VALUES)(folder)
        (folder / "zarr.json").write_text("[" * 100_000)

    found, *_ = compared(tmp_path, deep, store(VALUES), accepting())
    assert {(d.sameness, d.decides) for d in found} == {(Sameness.DIFFERENT, True)}


def test_the_store_is_suggested_as_a_whole(tmp_path: Path) -> None:
    sides = (
        store(VALUES, codec=GzipCodec(level=1), chunks=(2,)),
        store(VALUES, codec=GzipCodec(level=9), chunks=(2,)),
    )
    found, ground, baseline = compared(tmp_path, *sides)
    covered, uncovered = suggest(
        [Comparison(left="l", right="r", relation=Relation.CONTROL, artifacts=tuple(found))],
        ground,
        baseline,
    )
    assert (len(covered), uncovered) == (1, ())
    text = as_yaml(covered, uncovered, TODAY).replace("''", "x")
    assert read_settings(text.encode()).equivalences[0].paths == ("out.zarr/**",)


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("a.zarr/x/0", "a.zarr"),
        ("a.zarr/.zgroup", "a.zarr"),
        ("a.zarr", ""),
        ("a.zarr2/x", ""),
        ("b/a.zarr/x", ""),
    ],
)
def test_the_store_of_a_file(path: str, root: str) -> None:
    assert bundle_of(path, frozenset({"a.zarr"})) == root

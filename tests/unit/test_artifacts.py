"""Artifacts side by side: what decides, what is accepted, and where a difference began."""

import gzip
import hashlib
from pathlib import Path

import msgspec

from cleanroom.compare.artifacts import ComparisonContext, compare_artifacts
from cleanroom.compare.examiner import Examiner
from cleanroom.values.comparison import Sameness
from cleanroom.values.plan import FileRef, Job
from cleanroom.values.run import Artifact, Evidence, Kind, Role
from tests.unit.values import artifact, attempt, evidence, job

NOWHERE = ComparisonContext(lambda _: Path("/nonexistent"), Examiner(1))


def runs(
    left: tuple[Artifact, ...], right: tuple[Artifact, ...], *jobs: Job
) -> tuple[Evidence, Evidence]:
    attempts = tuple(attempt(j) for j in jobs or (job(),))
    return evidence("l", artifacts=left, attempts=attempts), evidence(
        "r", artifacts=right, attempts=attempts
    )


def test_each_way_to_differ() -> None:
    left = (
        artifact("same"),
        artifact("other", "2"),
        artifact("mine"),
        artifact("kind"),
        artifact("link", "5", kind=Kind.LINK, target="a"),
    )
    right = (
        artifact("same"),
        artifact("other", "3"),
        artifact("yours"),
        artifact("kind", "4", kind=Kind.LINK),
        artifact("link", "6", kind=Kind.LINK, target="b"),
    )
    found, counts, informing, _ = compare_artifacts(*runs(left, right), NOWHERE)
    assert {d.path: d.sameness for d in found} == {
        "other": Sameness.DIFFERENT,
        "mine": Sameness.MISSING,
        "yours": Sameness.EXTRA,
        "kind": Sameness.DIFFERENT,
        "link": Sameness.DIFFERENT,
    }
    assert all(d.decides for d in found)
    assert (counts, informing) == (
        {Sameness.BYTES: 1, Sameness.DIFFERENT: 3, Sameness.MISSING: 1, Sameness.EXTRA: 1},
        0,
    )


def test_what_informs_does_not_decide_unless_somebody_reads_it() -> None:
    roles = {
        "a.log": Role.LOG,
        "b.tsv": Role.BENCHMARK,
        "c.tmp": Role.TEMP,
        "d.pyc": Role.CACHE,
        "read.log": Role.LOG,
    }
    left = tuple(artifact(path, "1", role=role) for path, role in roles.items())
    right = tuple(artifact(path, "2", role=role) for path, role in roles.items())
    reader = job("reader", "x", inputs=("read.log",))
    found, counts, informing, _ = compare_artifacts(*runs(left, right, reader), NOWHERE)
    assert {d.path for d in found if d.decides} == {"read.log"}
    assert (counts, informing) == ({Sameness.DIFFERENT: 1}, 4)


def test_payload_is_accepted_and_named(tmp_path: Path) -> None:
    contents = [gzip.compress(b"x" * 99, mtime=time) for time in (1, 2)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    for name, content in zip(digests, contents, strict=True):
        (tmp_path / name).write_bytes(content)
    sides = [
        (
            Artifact(
                path="x.gz",
                kind=Kind.FILE,
                size=1,
                mode=0o644,
                sha256=name,
                role=Role.OUTPUT,
                job=0,
            ),
        )
        for name in digests
    ]
    (found,), counts, _, _ = compare_artifacts(
        *runs(sides[0], sides[1]), ComparisonContext(lambda sha256: tmp_path / sha256, Examiner(1))
    )
    assert (found.sameness, found.decides, found.comparator) == (Sameness.PAYLOAD, False, "gzip/3")
    assert counts == {Sameness.PAYLOAD: 1}


def test_content_that_is_gone_is_different_and_says_so() -> None:
    (found,), _, _, _ = compare_artifacts(
        *runs((artifact(content="1"),), (artifact(content="2"),)), NOWHERE
    )
    assert found.sameness is Sameness.DIFFERENT
    assert "no longer kept" in found.note


def test_what_was_not_examined_is_never_the_same() -> None:
    blind = (artifact(content="", unexamined="it could not be read: Permission denied"),)
    (found,), _, _, _ = compare_artifacts(*runs(blind, blind), NOWHERE)
    assert found.sameness is Sameness.DIFFERENT
    assert found.note.startswith("not examined")


def test_a_difference_is_derived_when_its_job_read_one() -> None:
    first = job("first", "a")
    folder = Job(rule="split", output=(FileRef(path="dir", flags=("directory",)),))
    jobs = (
        first,
        job("second", "b", inputs=("a",)),
        job("apart", "c"),
        folder,
        job("reader", "d", inputs=("dir",)),
    )
    paths = {"a": 0, "b": 1, "c": 2, "dir/x": 3, "d": 4}
    left = tuple(artifact(path, "1", index=index) for path, index in paths.items())
    right = tuple(artifact(path, "2", index=index) for path, index in paths.items())
    found, _, _, _ = compare_artifacts(*runs(left, right, *jobs), NOWHERE)
    assert {d.path for d in found if d.origin} == {"a", "c", "dir/x"}


def test_a_temporary_file_can_be_where_it_began() -> None:
    jobs = (
        Job(rule="first", output=(FileRef(path="t", flags=("temp",)),)),
        job("second", "b", inputs=("t",)),
    )
    left = artifact("t", "1", role=Role.TEMP), artifact("b", "1", index=1)
    right = artifact("t", "2", role=Role.TEMP), artifact("b", "2", index=1)
    found, _, _, _ = compare_artifacts(*runs(left, right, *jobs), NOWHERE)
    assert [(d.path, d.origin, d.decides) for d in found] == [
        ("b", False, True),
        ("t", True, False),
    ]


def test_the_right_to_execute_is_part_of_a_result() -> None:
    plain = Artifact(
        path="x", kind=Kind.FILE, size=1, mode=0o644, sha256="1" * 64, role=Role.OUTPUT
    )
    for other, same in ((0o664, True), (0o755, False)):
        found, _, _, _ = compare_artifacts(
            *runs((plain,), (msgspec.structs.replace(plain, mode=other),)), NOWHERE
        )
        assert (not found) is same

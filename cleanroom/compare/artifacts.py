"""The artifacts of two runs, path by path: the same bytes, the same payload, different, or there only once.

Not here: formats beyond their container, and whether a difference is accepted below `payload`.
"""

import stat
from collections.abc import Callable
from pathlib import Path

import msgspec

from cleanroom.compare import payload
from cleanroom.compare.boundary import Boundary
from cleanroom.compare.origins import Origins
from cleanroom.model import Artifact, Difference, Evidence, Kind, Role, Sameness

Locate = Callable[[str], Path]
"""Where the content of a digest is kept."""


def compare_artifacts(left: Evidence, right: Evidence, locate: Locate) -> tuple[tuple[Difference, ...], dict[str, int], int]:
    """(differences, deciding artifacts by sameness, number of informing artifacts)."""
    here = {a.path: a for a in left.artifacts}
    there = {a.path: a for a in right.artifacts}
    bounds = Boundary(left), Boundary(right)
    differences: list[Difference] = []
    counts: dict[str, int] = {}
    informing = 0
    for path in sorted(here.keys() | there.keys()):
        a, b = here.get(path), there.get(path)
        decides = bool((a and bounds[0].decides(a)) or (b and bounds[1].decides(b)))
        sameness, comparator, note = _sameness(a, b, locate)
        if decides:
            counts[sameness] = counts.get(sameness, 0) + 1
        else:
            informing += 1
        if sameness is not Sameness.BYTES:
            accepted = sameness is Sameness.PAYLOAD
            differences.append(_difference(path, a, b, left, right, sameness, decides and not accepted, comparator, note))
    origins = Origins(left, right, differences)
    return tuple(msgspec.structs.replace(d, origin=origins.is_origin(d)) for d in differences), counts, informing


def _sameness(a: Artifact | None, b: Artifact | None, locate: Locate) -> tuple[Sameness, str, str]:
    if a is None or b is None:
        sameness, which, one = (Sameness.EXTRA, "second", b) if a is None else (Sameness.MISSING, "first", a)
        verb = "removed" if one and one.kind is Kind.REMOVED else "overwrote" if one and one.role is Role.TRACKED else "left"
        return sameness, "", f"only the {which} run {verb} it"
    if a.kind != b.kind:
        return Sameness.DIFFERENT, "", f"a {a.kind} here, a {b.kind} there"
    if a.unexamined or b.unexamined:
        return Sameness.DIFFERENT, "", f"not examined: {a.unexamined or b.unexamined}"
    if a.kind is Kind.FILE and a.mode & stat.S_IXUSR != b.mode & stat.S_IXUSR:
        return Sameness.DIFFERENT, "", "executable here, not there" if a.mode & stat.S_IXUSR else "not executable here, but there"
    if a.sha256 == b.sha256:
        return Sameness.BYTES, "", ""
    if a.kind is Kind.LINK:
        return Sameness.DIFFERENT, "", f"links to '{a.target}' here, to '{b.target}' there"
    return _payload(a, b, locate)


def _payload(a: Artifact, b: Artifact, locate: Locate) -> tuple[Sameness, str, str]:
    files = locate(a.sha256), locate(b.sha256)
    if not all(file.is_file() for file in files):
        return Sameness.DIFFERENT, "", "the content is no longer kept; only the digests were compared"
    containers = [payload.container_of(file) for file in files]
    if not containers[0] or containers[0] != containers[1]:
        return Sameness.DIFFERENT, "", f"{a.size} bytes here, {b.size} there" if a.size != b.size else f"{a.size} bytes each"
    comparator = f"{containers[0]}/{payload.VERSION}"
    try:
        if payload.payload_digest(files[0]) == payload.payload_digest(files[1]):
            return Sameness.PAYLOAD, comparator, f"the same content in another {containers[0]} wrapping"
    except payload.NoPayload as error:
        return Sameness.DIFFERENT, comparator, f"not examined: {error}"
    return Sameness.DIFFERENT, comparator, f"the content of the {containers[0]} file differs"


def _difference(
    path: str, a: Artifact | None, b: Artifact | None, left: Evidence, right: Evidence,
    sameness: Sameness, decides: bool, comparator: str, note: str,
) -> Difference:  # fmt: skip
    artifact, evidence = (a, left) if a is not None and a.job >= 0 else (b, right) if b is not None else (a, left)
    assert artifact is not None
    job = evidence.attempts[artifact.job].job if artifact.job >= 0 else None
    return Difference(
        path=path, sameness=sameness, decides=decides, comparator=comparator, note=note, role=artifact.role,
        rule=job.rule if job else "", wildcards=job.wildcards if job else {},
        examined=not any(side is not None and side.unexamined for side in (a, b)),
        left_sha256=a.sha256 if a else "", right_sha256=b.sha256 if b else "",
    )  # fmt: skip

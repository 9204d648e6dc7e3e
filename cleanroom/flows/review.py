"""`review`, the whole way: two commits, rooms that only plan, changes, outcome.
Not here: what a change is, and how it looks.

A profile whose files changed together with code is planned a third time: the head's code under the
base's profile files. What then differs from the base came through code, what differs from the head
through the profile.
"""

import time
from pathlib import Path, PurePosixPath

import msgspec

from cleanroom.audit import audit
from cleanroom.entry.learn import options_of
from cleanroom.errors import UsageError
from cleanroom.evidence.request import RunSpec
from cleanroom.evidence.supervise import Watch
from cleanroom.findings.observed import observe
from cleanroom.flows.choose import Chosen, Request, choose
from cleanroom.flows.open import opened
from cleanroom.flows.run_factory import PLANNING, RunFactory
from cleanroom.review.reviewing import judge_review, notes_of, review
from cleanroom.review.routes import Routes
from cleanroom.source import open_repository
from cleanroom.values.review import History, Pair, Reviewed
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Profile

_TRAILER = "Semantic-Drift"


def review_commits(request: Request, base: str, watch: Watch | None = None) -> Reviewed:
    """Review what changed from `base` to the request's ref, under the profiles of both; no job is
    run.

    Raises: UsageError before anything runs; SourceError, EngineError or ImageError where nothing
    can be said; Interrupted.
    """
    watch = watch or Watch()
    started, clock = time.time(), time.monotonic()
    before, after = (
        _chosen(request, ref, word) for ref, word in ((base, "base"), (request.ref, "head"))
    )
    names = {p.path for side in (before, after) for p in side.profiles}
    missing = [
        p
        for p in request.profiles
        if not any(p.rstrip("/") in (q.name, q.path) for s in (before, after) for q in s.profiles)
    ]
    if missing:
        raise UsageError(
            f"Neither commit has a profile '{missing[0]}'.",
            f"They have: {', '.join(sorted(n for n in names if n))}.",
        )
    repository = open_repository(request.repo, Path(request.cache), request.reach)
    history = History(
        ancestor=repository.ancestor(before.source.commit, after.source.commit),
        changed=repository.changed(before.source.commit, after.source.commit),
        declared=repository.trailers(before.source.commit, after.source.commit, _TRAILER),
    )
    with opened(request, [before, after], watch, running=False) as (left, right):
        pairs = _pairs(left, right, history, watch)
    runs = [pair.head for pair in pairs if pair.head is not None]
    audited = audit(runs, right.acceptances, right.today, observe(after.source, runs))
    baseline = right.profiles[0].path
    routes = Routes(
        repo=after.source.url,
        commit=after.source.commit,
        options=_options(request),
        baseline=baseline,
    )
    changes = review(pairs, history, routes)
    outcome, exit_code, reasons = judge_review(pairs, changes)
    return Reviewed(
        repo=request.repo,
        base=before.source,
        head=after.source,
        entry=after.entry,
        ancestor=history.ancestor,
        declared=history.declared,
        outcome=outcome,
        exit_code=exit_code,
        reasons=reasons,
        notes=notes_of(pairs, history),
        changes=changes,
        audit=audited,
        started=started,
        seconds=time.monotonic() - clock,
    )


def _chosen(request: Request, ref: str, word: str) -> Chosen:
    """One commit; of the profiles that were asked for, those that it has."""
    try:
        return choose(msgspec.structs.replace(request, ref=ref), lenient=True)
    except UsageError as error:
        raise UsageError(f"At the {word} ({ref}): {error.what}", error.next_step) from None


def _pairs(left: RunFactory, right: RunFactory, history: History, watch: Watch) -> list[Pair]:
    """Every profile of either commit, planned at both; a third time where its files and code
    changed together.
    """
    before, after = ({p.path: p for p in side.profiles} for side in (left, right))
    paths = list(after) + [path for path in before if path not in after]
    places = [path for path in paths if path] + ["profiles/default", "workflow/profiles/default"]
    folders = {str(PurePosixPath(right.base.entry.folder or ".") / path) for path in places}
    moved = tuple(
        sorted(p for p in history.changed if any(p == f or p.startswith(f + "/") for f in folders))
    )
    code = any(path not in moved for path in history.changed)
    requests: dict[tuple[str, str], RunSpec] = {}
    for path in paths:
        if path in before:
            requests["base", path] = _request(left, before[path])
        if path in after:
            requests["head", path] = _request(right, after[path])
        if path in before and path in after and moved and code:
            hybrid = _request(right, after[path])
            requests["between", path] = msgspec.structs.replace(
                hybrid, profiles_of=left.base.source.commit, profile_files=moved
            )
    runs = dict(zip(requests, left.runner.run_all(list(requests.values()), watch), strict=True))
    return [
        _pair((after.get(path) or before[path]).name, path, runs, moved=bool(moved))
        for path in paths
    ]


def _request(side: RunFactory, profile: Profile) -> RunSpec:
    """All rooms of a review plan under one hash seed."""
    return msgspec.structs.replace(side.base, profile=profile, steps=PLANNING)


def _pair(name: str, path: str, runs: dict[tuple[str, str], Evidence], *, moved: bool) -> Pair:
    base, head = runs.get(("base", path)), runs.get(("head", path))
    between = runs.get(("between", path)) or (base if moved else head)
    return Pair(profile=name, base=base, between=between if base and head else None, head=head)


def _options(request: Request) -> tuple[str, ...]:
    """What every proof route of this review shares."""
    words: list[str] = []
    if request.engine != "auto":
        words += ["--engine", request.engine]
    if request.image:
        words += ["--image", request.image]
    if request.environment != "auto":
        words += ["--environment", request.environment]
    if request.deployment != "auto":
        words += ["--deployment", request.deployment]
    return (*words, *options_of(request.entry))

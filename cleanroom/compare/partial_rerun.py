"""A control of only what is in question: which outputs to ask for, and of a whole run what a
smaller one has too. Pure.

Not here: running, and what counts as noise.
"""

import posixpath
from collections.abc import Sequence

import msgspec

from cleanroom.profiles.table import cutting_keys
from cleanroom.values.comparison import Comparison
from cleanroom.values.plan import Job
from cleanroom.values.run import Artifact, Evidence, Role

_MOST = 40
"""With more origins than this, or more derived files than an origin lists, the whole is run
again.
"""
_LISTED = 500
_NO_TARGETS = {"pipe", "service"}


def origin_targets(baseline: Evidence, comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """The outputs of the baseline with which all differences begin, as paths from the clone; empty
    where the whole must run again.

    That is so where the plan differs, a checkpoint decides in the run, a file is nobody's declared
    output, or the profile cuts.
    """
    plan, differing = baseline.plan, [c for c in comparisons if c.differs]
    if plan is None or not differing or any(rule.checkpoint for rule in plan.rules.values()):
        return ()
    if any(setting.key in cutting_keys() for setting in baseline.settings):
        return ()
    makers = {a.path: baseline.attempts[a.job].job for a in baseline.artifacts if a.job >= 0}
    roles = {a.path: a.role for a in baseline.artifacts}
    targets: dict[str, None] = {}
    for comparison in differing:
        if any(d.decides for d in (*comparison.plan, *comparison.attempts)):
            return ()
        decide = {d.path for d in comparison.artifacts if d.decides}
        if any(d.decides and d.in_one for d in comparison.artifacts):
            return ()  # what only one run has may be kept or deleted for what was asked for
        for origin in comparison.origins:
            if not set(origin.paths) <= decide or any(
                roles.get(path, Role.OUTPUT) is not Role.OUTPUT for path in origin.paths
            ):
                # in a smaller run a temporary file informs, and a log is nobody's input: that they
                # agree would not be asked
                return ()
            job = makers.get(origin.paths[0])
            if (
                origin.by_time
                or job is None
                or len(origin.derived) >= _LISTED
                or not (target := _target(job))
            ):
                return ()
            targets[target] = None
        if not decide <= {path for o in comparison.origins for path in (*o.paths, *o.derived)}:
            return ()
    return tuple(targets) if len(targets) <= _MOST else ()


def _target(job: Job) -> str:
    """An output by which Snakemake can be asked for the job."""
    return next(
        (
            f.path
            for f in job.output
            if not _NO_TARGETS & set(f.flags) and not f.path.startswith(("/", ".."))
        ),
        "",
    )


def as_targets(paths: Sequence[str], evidence: Evidence) -> tuple[str, ...]:
    """Paths from the clone as Snakemake is asked for them, from its working directory."""
    start = posixpath.normpath(posixpath.join(evidence.entry.folder, evidence.entry.directory))
    return tuple(posixpath.relpath(path, start) for path in paths)


def narrowed(whole: Evidence, part: Evidence) -> Evidence:
    """Of a whole run, what the jobs made that a smaller run had too; a file of nobody counts where
    only those were at work.
    """
    ran = {attempt.job.identity for attempt in part.attempts}
    index = {
        old: new
        for new, old in enumerate(i for i, a in enumerate(whole.attempts) if a.job.identity in ran)
    }
    met = {a.path for a in part.artifacts}

    def belongs(artifact: Artifact) -> bool:
        during = artifact.written_during
        return artifact.job in index or (
            artifact.job < 0
            and (artifact.path in met or (bool(during) and set(during) <= index.keys()))
        )

    def moved(artifact: Artifact) -> Artifact:
        during = tuple(index[i] for i in artifact.written_during if i in index)
        return msgspec.structs.replace(
            artifact, job=index.get(artifact.job, -1), written_during=during
        )

    artifacts = tuple(moved(a) for a in whole.artifacts if belongs(a))
    planned = {job.identity for job in part.plan.jobs} if part.plan else set()
    plans = [
        plan
        and msgspec.structs.replace(plan, jobs=tuple(j for j in plan.jobs if j.identity in planned))
        for plan in (whole.plan, whole.replan)
    ]
    attempts = tuple(whole.attempts[old] for old in index)
    return msgspec.structs.replace(
        whole, attempts=attempts, artifacts=artifacts, plan=plans[0], replan=plans[1]
    )

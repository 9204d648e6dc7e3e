"""A confirmation kept in the store, and concluded again from what is kept; nothing is run.
Not here: how it is indexed over many of them.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path

import msgspec

import cleanroom
from cleanroom.compare.artifacts import ComparisonContext
from cleanroom.compare.examiner import Examiner
from cleanroom.evidence.store import Store
from cleanroom.flows.conclude import conclude
from cleanroom.values.audit import Acceptance
from cleanroom.values.purpose import Earlier
from cleanroom.values.record import KeptDifference, KeptRun, Record
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import Confirmation


def keep(
    found: Confirmation,
    store: Store,
    acceptances: tuple[Acceptance, ...],
    today: datetime.date,
    places: Mapping[str, Path],
) -> str:
    """The digest under which the store keeps it. `places` is where the contents of a folder of
    earlier results are: those that the store does not hold are copied.

    Raises: StoreError.
    """
    runs = tuple(KeptRun(label=run.label, evidence=found.evidence[run.label]) for run in found.runs)
    return store.put_record(
        Record(
            cleanroom=cleanroom.__version__,
            source=found.source,
            repo=found.repo,
            baseline=found.baseline,
            wanted=found.wanted,
            runs=runs,
            judgement=found.judgement,
            today=today,
            earlier=_earlier(found, store, places),
            climb=found.climb,
            acceptances=acceptances,
            causes=found.causes,
            differences=tuple(
                KeptDifference(left=c.left, right=c.right, path=d.path, rule=d.rule)
                for c in found.comparisons
                for d in c.artifacts
                if d.decides
            ),
            started=found.started,
            seconds=found.seconds,
        )
    )


def _earlier(found: Confirmation, store: Store, places: Mapping[str, Path]) -> KeptRun | None:
    run = found.earlier
    if run is None:
        return None
    if not run.folder:
        return KeptRun(label=run.label, evidence=found.evidence[run.label])
    for artifact in run.artifacts:
        if artifact.sha256 in places:
            store.copy(places[artifact.sha256], artifact.sha256)
    return KeptRun(label=run.label, evidence=store.put(run))


def concluded_again(record: Record, store: Store) -> Confirmation:
    """What this version concludes from the evidence of a record, on the record's own day.

    Raises: StoreError for evidence that is not there any more, or damaged.
    """
    runs = [store.get(run.evidence)[1] for run in record.runs]
    earlier = _earlier_run(record, store)
    evidence = {run.label: run.evidence for run in record.runs}
    if record.earlier:
        evidence[record.earlier.label] = record.earlier.evidence
    with Examiner() as examiner:
        ground = ComparisonContext(store.content, examiner, runs[0].declared, record.today)
        found = conclude(
            runs,
            record.wanted,
            ground,
            earlier=earlier,
            evidence=evidence,
            source=record.source,
            acceptances=record.acceptances,
            repo=record.repo,
            climb=frozenset(record.climb),
            started=record.started,
        )
    return msgspec.structs.replace(found, causes=record.causes, seconds=record.seconds)


def _earlier_run(record: Record, store: Store) -> Evidence | None:
    if record.earlier is None:
        return None
    run = store.get(record.earlier.evidence)[1]
    if run.folder:
        return run
    return msgspec.structs.replace(run, called=record.earlier.label, purpose=Earlier())

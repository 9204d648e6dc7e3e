"""What a control shows to be another one each time, and what is then no profile's doing."""

import pytest

from cleanroom.compare.partial_rerun import origin_targets
from cleanroom.compare.runs import mark_noise
from cleanroom.values.comparison import (
    Comparison,
    Difference,
    Origin,
    PlanDifference,
    Relation,
    Sameness,
)
from tests.unit.values import comparison, difference, evidence

MISSING, EXTRA = Sameness.MISSING, Sameness.EXTRA


def once(job: str, rule: str) -> PlanDifference:
    return PlanDifference(
        job=job, rule=rule, field="job", left="1 attempts", right="0 attempts", decides=True
    )


CONTROL = comparison(
    right="local (control)",
    relation=Relation.CONTROL,
    artifacts=(
        difference(path="parts/7.txt", rule="split", sameness=EXTRA),
        difference(path="up/7.txt", rule="up", sameness=EXTRA),
    ),
    attempts=(once("up (i=7)", "up"),),
)


@pytest.mark.parametrize(
    ("found", "noise"),
    [
        (difference(path="parts/3.txt", rule="split", sameness=MISSING), True),
        (difference(path="parts/9.txt", rule="split", sameness=EXTRA), True),
        (difference(path="up/9.txt", rule="up", sameness=EXTRA), True),
        (difference(path="elsewhere/9.txt", rule="up", sameness=MISSING), True),
        # what is in both and differs, is of another rule, or of another folder, is not told by that
        (difference(path="parts/3.txt", rule="split"), False),
        (difference(path="up/1.txt", rule="up"), False),
        (difference(path="other/3.txt", rule="split", sameness=MISSING), False),
        (difference(path="parts/3.txt", rule="join", sameness=MISSING), False),
    ],
)
def test_how_many_there_are_is_noise_where_a_control_has_another_number(
    found: Difference, noise: bool
) -> None:
    origin = Origin(
        rule=found.rule,
        wildcards={},
        paths=(found.path,),
        derived=(),
        left=None,
        right=None,
        by_time=False,
    )
    marked = mark_noise(comparison(artifacts=(found,), origins=(origin,)), [CONTROL])
    assert (marked.artifacts[0].noise, marked.origins[0].noise) == (noise, noise)
    assert marked.differs is not noise


def test_jobs_of_a_rule_with_another_number_each_time_are_noise() -> None:
    attempts = (once("up (i=2)", "up"), once("join", "join"))
    marked = mark_noise(comparison(attempts=attempts), [CONTROL])
    assert [d.noise for d in marked.attempts] == [True, False]


def test_without_a_control_nothing_is_noise() -> None:
    found = difference(path="parts/3.txt", rule="split", sameness=MISSING)
    assert mark_noise(comparison(artifacts=(found,)), []).differs


def _origin(path: str) -> Comparison:
    found = difference(path=path, rule="count", sameness=MISSING)
    origin = Origin(
        rule="count",
        wildcards={},
        paths=(path,),
        derived=(),
        left=None,
        right=None,
        by_time=False,
    )
    return comparison(artifacts=(found,), origins=(origin,))


def test_what_only_one_run_has_is_asked_by_a_whole_run() -> None:
    """A file that is asked for is kept, so that a smaller run could not show that it is deleted."""
    assert origin_targets(evidence(), [_origin("out.txt")]) == ()

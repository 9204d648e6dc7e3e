"""What a report states of a confirmation beside its verdict: the software, the boundary, what
repeated runs back. Not here: its rows.
"""

from collections.abc import Sequence

from cleanroom.report.confirmation.view import (
    SoftwareView,
)
from cleanroom.values.comparison import (
    Relation,
)
from cleanroom.values.declared import Declared
from cleanroom.values.environment import Environment
from cleanroom.values.purpose import Control
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import Confirmation
from cleanroom.wording import counted, listed

_BOUNDARY = (
    "Every file that a run left decides, declared or not. Logs, benchmarks and temporary outputs "
    "inform, "
    "unless they are a target or another job's input; Snakemake's own folder and bytecode caches "
    "are left out."
)
_PUBLISHED = "The commit names its published contract: only files of {} decide, all others inform."
_SCRATCH = " Scratch, which never decides: {}."
_FILES = 4


def software_of(runs: Sequence[Evidence]) -> SoftwareView:
    """The software of the baseline, in a sentence and in full."""
    held = runs[0].environment if runs else Environment()
    if held.prefix:
        count = counted(len(held.packages), "package")
        of = listed(held.taken) if held.taken else "cleanroom.yaml"
        said = f"Python {held.python} with {count} made from {of}"
    elif held.conda or held.containers:
        said = "the rooms' own"
    else:
        said = "the rooms' own; the repository declares none that was taken"
    if held.built_from:
        said = f"an image of {listed(held.built_from)}; {said}"
    if held.conda:
        count = counted(len(held.conda), "environment")
        said += f"; {count} of conda for rules, made from {listed(_names(held), _FILES)}"
    if held.containers:
        count = counted(len(held.containers), "image")
        said += f"; {count} for rules, {listed([one.url for one in held.containers], _FILES)}"
    there = [source for source in held.sources if source.sha256]
    if there:
        said += f"; {counted(len(there), 'file')} of other places"
    if held.passed_over:
        part = {file: f"a line of {file}" for file in held.taken}
        files = list(dict.fromkeys(part.get(p.file, p.file) for p in held.passed_over))
        said += f"; passed over: {listed(files, _FILES)}"
    if held.inputs:
        said += f"; {counted(len(held.inputs), 'input')} that git does not hold"
    return SoftwareView(
        sentence=said,
        taken=held.taken,
        passed_over=held.passed_over,
        python=held.python,
        packages=held.packages,
        prefix=held.prefix,
        inventory=held.inventory,
        system=held.system,
        built_from=held.built_from,
        conda=held.conda,
        containers=held.containers,
        sources=tuple(there),
        inputs=held.inputs,
    )


def _names(held: Environment) -> list[str]:
    return [one.name for one in held.conda]


def boundary_of(declared: Declared) -> str:
    text = (
        _PUBLISHED.format(", ".join(part.label for part in declared.publish))
        if declared.publish
        else _BOUNDARY
    )
    places = "; ".join(f"{place.path} ({place.reason})" for place in declared.scratch)
    return text + (_SCRATCH.format(places) if places else "")


def repeats_of(confirmation: Confirmation) -> str:
    """One run says nothing of the next; n runs that agree bound how often one would not, with 95 %
    confidence.
    """
    name = confirmation.runs[0].label if confirmation.runs else ""
    controls = [c for c in confirmation.comparisons if c.relation is Relation.CONTROL]
    count = len(controls) + 1
    if confirmation.runs and confirmation.runs[0].folder:
        return ""
    if not controls and any(isinstance(run.purpose, Control) for run in confirmation.runs):
        return (
            f"{name} ran once to its end, and its control did not, so nothing is known of how "
            "repeated runs differ."
        )
    if not controls:
        return (
            f"{name} ran once, so nothing is known of how repeated runs differ; --repeats "
            "runs it again."
        )
    if only := next((run.only for run in confirmation.runs if run.only), ()):
        what = (
            f"Of {name}, only the jobs where differences began ran again, with what they "
            f"need: {listed(only)}."
        )
        return (
            f"{what} They "
            f"{'differed from themselves' if any(c.differs for c in controls) else 'agreed'}; "
            "--repeats runs all of it again."
        )
    if any(c.differs for c in controls):
        return f"{name} ran {count} times, and differed from itself."
    bound = 1 - 0.05 ** (1 / count)
    return (
        f"{name} ran {count} times and agreed each time. What happens by chance in fewer than "
        f"{bound:.0%} of runs may still not have shown "
        "(95 % confidence); what depends on something that no room changes cannot show at all."
    )

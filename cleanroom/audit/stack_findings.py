"""Findings of profiles as files: rivals, computed values, twins, names. Pure.
Not here: single settings.
"""

import re
from collections.abc import Iterator, Sequence

from cleanroom.findings.codes import finding
from cleanroom.values.audit import Finding
from cleanroom.values.base import canonical
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Layer

_VAGUE = re.compile(
    r"(?:test|tmp|temp|new|old|foo|bar|my|misc|custom|other|profile|config|settings|stuff|p|x)[-_]?(?:profile)?\d*",
    re.I,
)
_YTE = re.compile(r"^__use_yte__\s*:\s*[Tt]rue")
_EXPANDED = re.compile(r"\$\{?[A-Za-z_]\w*\}?")


def stack_findings(runs: Sequence[Evidence]) -> Iterator[Finding]:
    for run in runs:
        for layer in run.stack:
            if layer.rivals:
                yield finding(
                    "CR-018",
                    f"{layer.file} and {', '.join(layer.rivals)}",
                    file=layer.file,
                    profile=run.label,
                )
            yield from _computed(layer, run)
        name = run.profile.path.rstrip("/").rpartition("/")[2]
        if name and _VAGUE.fullmatch(name):
            yield finding("CR-023", f"'{name}'", file=run.profile_place, profile=run.label)
    yield from _twins(runs)


def _computed(layer: Layer, run: Evidence) -> Iterator[Finding]:
    """YTE runs Python while the profile is read; Snakemake 8 and 9 put environment variables into
    plain values.
    """
    major = str(run.versions.get("snakemake", "")).partition(".")[0]
    for number, line in enumerate(layer.text.splitlines(), 1):
        code = line.split(" #")[0] if not line.lstrip().startswith("#") else ""
        if _YTE.match(code):
            yield finding(
                "CR-019",
                "__use_yte__ runs Python in it",
                file=layer.file,
                line=number,
                profile=run.label,
                key="__use_yte__",
            )
        elif (
            major not in ("", "7")
            and (match := _EXPANDED.search(code))
            and re.match(r"[\w-]+\s*:\s*[\"']?[^\[{\s]", code)
        ):
            key = code.partition(":")[0].strip()
            yield finding(
                "CR-019",
                f"'{key}' takes {match[0]}",
                file=layer.file,
                line=number,
                profile=run.label,
                key=key,
            )


def _twins(runs: Sequence[Evidence]) -> Iterator[Finding]:
    seen: dict[bytes, str] = {}
    for run in runs:
        if not run.settings or not run.profile.path:
            continue
        content = canonical({s.key: s.value for s in run.settings})
        if content in seen:
            yield finding(
                "CR-022",
                f"{seen[content]} and {run.label}",
                file=run.profile_place,
                profile=run.label,
            )
        seen.setdefault(content, run.label)

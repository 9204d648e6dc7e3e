"""What the repository declares of its results, in `cleanroom.yaml` of the commit."""

import datetime
from typing import Annotated, Literal

import msgspec

from cleanroom.values.base import Value


class CompareOptions(Value, frozen=True, forbid_unknown_fields=True):
    """What a comparison may leave out or take as near; also `options:` of an equivalence.
    The default leaves out nothing.

    `ignore` names columns, keys, data sets or header lines; `mask` holds regular expressions whose
    matches in a line do not count.
    `order: any` compares rows as a multiset. Deviations are of numbers: |a - b| <= absolute +
    relative * max(|a|, |b|), or for pixels of channel values. `appearance` compares pages as they
    look.
    """

    ignore: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    order: Literal["kept", "any"] = "kept"
    absolute: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    relative: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    appearance: bool = False
    delimiter: str = ""


class Equivalence(Value, frozen=True, forbid_unknown_fields=True):
    """A declared acceptance below `payload`; also `equivalences:` in `cleanroom.yaml`.
    Paths are globs, `**` crosses folders.
    """

    comparator: str
    reason: str
    owner: str
    expires: datetime.date
    paths: tuple[str, ...] = ()
    rule: str = ""
    options: CompareOptions = CompareOptions()

    @property
    def label(self) -> str:
        """What it is about, for a person."""
        return f"{self.comparator} of {', '.join(self.paths) or f'rule {self.rule}'}"


class PlanEquivalence(Value, frozen=True, forbid_unknown_fields=True):
    """A field of a rule's jobs that may be another one in each plan; also `plan:` in
    `cleanroom.yaml`. What the jobs leave is compared all the same.
    """

    rule: str
    field: Literal["params", "command", "input"]
    reason: str
    owner: str
    expires: datetime.date

    @property
    def label(self) -> str:
        return f"{self.field} of rule {self.rule}"


class Publish(Value, frozen=True, forbid_unknown_fields=True):
    """A part of the published contract: files by glob, or all outputs of a rule."""

    path: str = ""
    rule: str = ""

    @property
    def label(self) -> str:
        return self.path or f"rule {self.rule}"


class Scratch(Value, frozen=True, forbid_unknown_fields=True):
    """A place whose files only inform, and why."""

    path: str
    reason: str


class Declared(Value, frozen=True):
    """What `cleanroom.yaml` of the commit says of results: what is published, what is scratch, what
    counts as equivalent; and what of a plan may be another one each time.
    """

    publish: tuple[Publish, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    equivalences: tuple[Equivalence, ...] = ()
    plan: tuple[PlanEquivalence, ...] = ()

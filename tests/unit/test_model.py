"""Values: canonical, immutable, and paths that survive the way there and back."""

import msgspec
import pytest

from cleanroom.values.base import canonical, digest, escape_path, raw_path
from cleanroom.values.run import Evidence
from tests.unit.values import evidence


@pytest.mark.parametrize(
    "raw",
    [
        b"plain.txt",
        b"with space",
        b"new\nline",
        b"caf\xc3\xa9",
        b"\xff\xfe",
        b"back\\slash",
        b"looks \\xff like",
        b"\\",
        b"\\\\xff\xff",
    ],
)
def test_every_path_comes_back(raw: bytes) -> None:
    assert raw_path(escape_path(raw)) == raw


def test_no_two_paths_look_the_same() -> None:
    assert escape_path(b"\xff") != escape_path(b"\\xff")


def test_the_digest_does_not_hang_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert len(digest({})) == 64


def test_evidence_comes_back_whole() -> None:
    whole = evidence()
    assert msgspec.json.decode(canonical(whole), type=Evidence) == whole


def test_values_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        evidence().why = "changed"  # type: ignore[misc]

"""Evidence that was written once is read for ever: a file of every version and kind, as it was
written.
"""

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest

from cleanroom.errors import StoreError
from cleanroom.evidence.context import FACTORS
from cleanroom.evidence.versions import read_evidence
from cleanroom.report.schema import place
from cleanroom.values.base import EVIDENCE_VERSION, canonical
from cleanroom.values.purpose import (
    Control,
    Folder,
    Interrupted,
    OfProfile,
    Purpose,
    Staged,
    Varied,
)
from cleanroom.values.setup import OverrideCause
from tests.unit.values import evidence

FIXTURES = Path(__file__).parent / "evidence"
PURPOSES: dict[str, Purpose] = {
    "profile": OfProfile(),
    "control": Control(),
    "varied": Varied(factors=tuple(FACTORS)),
    "staged": Staged(),
    "killed": Interrupted(signal="KILL", moment="start", job=0),
    "terminated": Interrupted(signal="TERM", moment="middle", job=0),
}


@pytest.mark.parametrize(
    "file", sorted(FIXTURES.glob("*/*.json")), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_every_version_is_read(file: Path) -> None:
    found = read_evidence(file.read_bytes())
    assert found.schema_version == EVIDENCE_VERSION
    assert found.purpose == PURPOSES[file.stem]
    assert found.artifacts and found.attempts and found.plan and found.plan.jobs
    assert read_evidence(canonical(found)) == found


@pytest.mark.parametrize("version", range(1, EVIDENCE_VERSION + 1))
def test_there_is_a_file_of_every_kind(version: int) -> None:
    assert {file.stem for file in (FIXTURES / str(version)).glob("*.json")} == set(PURPOSES)


@pytest.mark.parametrize("file", sorted((FIXTURES / str(EVIDENCE_VERSION)).glob("*.json")))
def test_evidence_of_today_is_as_its_schema_says_and_says_nothing_of_the_host(file: Path) -> None:
    document = json.loads(file.read_bytes())
    jsonschema.validate(document, json.loads(place("evidence").read_text()))
    assert canonical(read_evidence(file.read_bytes())) == file.read_bytes()
    assert document["source"]["url"] == "repo"
    said = re.findall(r'"(/[^"\s]*)', file.read_text())
    assert not [path for path in said if not path.startswith(("/room/", "/tmp"))]  # the room's own


def test_a_control_and_a_folder_keep_what_they_are() -> None:
    for flags, purpose in (
        ({"control": True, "repeat": 3}, Control(repeat=3)),
        ({"folder": "/results"}, Folder(path="/results")),
    ):
        old = msgspec.to_builtins(evidence()) | flags
        del old["schema_version"], old["purpose"]
        assert read_evidence(json.dumps(old).encode()).purpose == purpose


@pytest.mark.parametrize("raw", [b"{", b"[]", b"{}", b'{"schema_version": "x"}', b"[" * 100_000])
def test_what_is_no_evidence(raw: bytes) -> None:
    with pytest.raises(StoreError, match="no evidence"):
        read_evidence(raw)


def test_a_newer_version_is_said_so() -> None:
    newer = msgspec.structs.replace(evidence(), schema_version=EVIDENCE_VERSION + 1)
    with pytest.raises(
        StoreError,
        match=f"is of version {EVIDENCE_VERSION + 1}, and this cleanroom reads versions up to",
    ):
        read_evidence(canonical(newer))


def test_what_the_first_version_said_in_sentences_is_read_as_values() -> None:
    old = msgspec.to_builtins(evidence()) | {
        "context": {"hash seed": "2"},
        "why": "The profile cannot be read: profiles/a/config.yaml: broken YAML.",
        "overrides": [
            {"key": "cores", "was": "1", "now": 4, "why": "the minimum that was asked for"},
            {"key": "notemp", "was": None, "now": True, "why": "temporary outputs are kept"},
        ],
        "effects": [
            {"keys": ["config"], "changes": [{"rule": "configuration", "field": "config"}]}
        ],
    }
    old["image"] |= {"isolation": "sandbox (weaker than a container)"}
    for field in ("schema_version", "purpose", "hash_seed", "unreadable"):
        del old[field]
    found = read_evidence(json.dumps(old).encode())
    assert found.hash_seed == 2
    assert found.image.shared
    assert [o.cause for o in found.overrides] == [OverrideCause.MINIMUM, None]
    assert [c.rule for c in found.effects[0].changes] == [""]
    assert found.unreadable is not None
    assert found.unreadable.text == "profiles/a/config.yaml: broken YAML."
    assert not found.unreadable.key

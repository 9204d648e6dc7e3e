"""cleanroom.yaml: every mistake is named with its place."""

import pytest

from cleanroom.config import read_settings
from cleanroom.errors import UsageError


def test_everything_is_optional() -> None:
    assert read_settings(b"") == read_settings(b"{}")


def test_the_workflow_section() -> None:
    text = (
        b"workflow:\n  folder: sub\n  configfiles: [config/test.yaml]\n  targets: [all]\n"
        b"  cores: 6\nprofiles: [ci]\nbaseline_profile: ci\n"
    )
    settings = read_settings(text)
    entry = settings.workflow
    assert (entry.folder, entry.configfiles, entry.targets, entry.cores) == (
        "sub",
        ("config/test.yaml",),
        ("all",),
        6,
    )
    assert (settings.profiles, settings.baseline_profile) == (("ci",), "ci")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"workflow:\n  snakfile: x\n", "snakfile"),
        (b"workflow:\n  cores: many\n", "workflow.cores"),
        (b"workflow:\n  targets: all\n", "workflow.targets"),
        (b"a: [1\nb: 2\n", "line 2"),
        (b"a: &x [1]\nb: *x\n", "aliases"),
        (b"- a\n- b\n", "object"),
        (b"workflow: {folder: ../x}\n", "leads out"),
        (b"workflow: {snakefile: /etc/passwd}\n", "leads out"),
        (b"workflow: {targets: [--unlock]}\n", "looks like an option"),
        (b"workflow: {cores: 0}\n", "at least 1"),
        (b"\xff\xfe\x00", "YAML"),
        (b"a" * (2**20 + 1), "at most"),
        (b"[" * 5000, "YAML"),
        (
            b"accept: [{finding: CR-999, reason: r, owner: o, expires: 2030-01-01}]\n",
            "no finding 'CR-999'",
        ),
        (
            b"accept: [{finding: CR-024, reason: ' ', owner: o, expires: 2030-01-01}]\n",
            "no reason or no owner",
        ),
        (
            b"accept: [{finding: CR-016, reason: r, owner: o, expires: 2030-01-01}]\n",
            "no profile, key or file",
        ),
        (b"accept: [{finding: CR-024, reason: r, owner: o, expires: soon}]\n", "expires"),
    ],
)
def test_a_mistake_names_its_place(text: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_settings(text)

"""A secret is in nothing that is kept or shown; the names of variables are checked."""

import json
import shlex
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest

from cleanroom.config import read_settings
from cleanroom.errors import UsageError
from cleanroom.evidence.masking import check_secret, masked
from cleanroom.values.base import canonical
from tests.unit.values import evidence

SECRET = 'hun"ter\\2\n¡ß'


def test_a_secret_is_masked_wherever_it_stands() -> None:
    run = msgspec.structs.replace(
        evidence(), why=f"it said {SECRET}!", context={SECRET: f"{SECRET}{SECRET}"}, called="ter"
    )
    found = masked(run, {"TOKEN": SECRET, "OTHER": "hunting"})
    assert (found.why, found.context) == ("it said ***!", {"***": "******"})
    assert found.called == "ter"
    assert SECRET not in json.dumps(json.loads(canonical(found)), ensure_ascii=False)
    assert masked(run, {}) is run


@pytest.mark.parametrize("spelt", [repr, json.dumps, shlex.quote, quote])
def test_a_secret_is_masked_as_programs_spell_it(spelt: Callable[[str], str]) -> None:
    run = msgspec.structs.replace(evidence(), why=f"x {spelt(SECRET)} y")
    assert "ter" not in masked(run, {"TOKEN": SECRET}).why


@pytest.mark.parametrize("secret", ["123456", "status", "completed", "artifacts"])
def test_what_is_no_text_stays_whatever_a_secret_is(secret: str) -> None:
    """Names of fields, numbers, states and digests are not the workflow's to say."""
    run = msgspec.structs.replace(
        evidence(), why=f"x {secret} y", started=123456.0, attempt_id=f"{'a' * 26}123456"
    )
    found = masked(run, {"TOKEN": secret})
    assert found.why == "x *** y"
    assert msgspec.structs.replace(found, why=run.why) == run


def test_a_secret_that_looks_like_a_digest_is_masked() -> None:
    run = msgspec.structs.replace(evidence(), why="a" * 64, called=f"x {'a' * 64}")
    found = masked(run, {"TOKEN": "a" * 64})
    assert (found.why, found.called) == ("***", "x ***")


def test_of_two_secrets_the_longer_one_is_masked_whole() -> None:
    run = msgspec.structs.replace(evidence(), why="abcdefgh abcdef")
    assert masked(run, {"A": "abcdef", "B": "abcdefgh"}).why == "*** ***"


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LD_PRELOAD", "PYTHONPATH", "LC_ALL", "1A", "A B", ""]
)
def test_a_variable_that_a_room_decides_or_that_is_none(name: str) -> None:
    with pytest.raises(UsageError):
        check_secret(name, "long enough")
    with pytest.raises(UsageError):
        read_settings(json.dumps({"environment": {"variables": {name: "x"}}}).encode())


@pytest.mark.parametrize("value", [None, "", "short"])
def test_a_secret_that_is_not_there_or_cannot_be_masked(value: str | None) -> None:
    with pytest.raises(UsageError, match="MY_TOKEN"):
        check_secret("MY_TOKEN", value)


def test_variables_of_the_commit() -> None:
    settings = read_settings(b"environment: {variables: {MY_TOKEN: dummy}}\n")
    assert settings.environment.variables == {"MY_TOKEN": "dummy"}

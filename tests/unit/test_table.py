"""The table of settings knows every option of the installed Snakemake, and says of each what a
person needs.
"""

import argparse
import re

import pytest

from cleanroom.audit.decide import kinds
from cleanroom.profiles.table import cutting_keys, look_up, near, options
from cleanroom.report.pages import PAGES
from cleanroom.room.setting_keys import room_keys
from cleanroom.values.setup import SENDERS, SettingClass
from tests.conftest import ROOT


def unlisted(parser: argparse.ArgumentParser) -> list[str]:
    """Long options of a parser that the table lacks, also by their other names."""
    names = [
        s[2:] for action in parser._actions for s in action.option_strings if s.startswith("--")
    ]
    return [name for name in names if name not in {"help", "version"} and look_up(name) is None]


def test_every_option_of_the_installed_snakemake_is_listed() -> None:
    from snakemake.cli import get_argument_parser

    assert unlisted(get_argument_parser()) == []


def test_a_new_option_would_be_noticed() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cores")
    parser.add_argument("--set-meaning")
    assert unlisted(parser) == ["set-meaning"]


def test_every_option_says_what_a_person_needs() -> None:
    assert len(options()) > 270
    for option in options().values():
        for text in (option.does, option.why, option.safe, option.drift):
            assert text.strip().endswith((".", "`.")), (option.key, text)
        assert "{key}" not in option.safe + option.drift + option.why
        assert (option.setting_class is SettingClass.CONDITIONAL) is bool(option.evidence), (
            option.key
        )


def test_every_kind_of_evidence_has_a_decider_and_every_decider_a_setting() -> None:
    assert {o.evidence for o in options().values() if o.evidence} == kinds()


def test_options_are_found_by_any_name() -> None:
    for name in ("restart-times", "--retries", "retries"):
        found = look_up(name)
        assert found is not None
        assert found.key == "retries"
    plugin = look_up("slurm-a-new-option")
    assert plugin is not None
    assert (plugin.key, plugin.setting_class) == ("slurm-a-new-option", SettingClass.POLICY)
    assert look_up("samples") is None
    assert "set-threads" in near("set-thread")


def test_what_a_room_is_told() -> None:
    keys = room_keys()
    assert re.fullmatch(keys["executor_keys"], "slurm-partition")
    assert not re.fullmatch(keys["executor_keys"], "cores")
    assert {"dry-run", "touch", "unlock"} <= set(keys["action_keys"])
    assert {"config", "set-threads", "shadow-prefix", "until"} <= set(keys["questioned"])
    assert not {"cores", "executor", "printshellcmds", "dry-run"} & set(keys["questioned"])
    assert cutting_keys() >= {"until", "omit-from", "batch", "target-jobs", "allowed-rules"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_a_table_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == PAGES[name](), "type: make pages"


def test_what_sends_jobs_away_is_told_once_for_values_and_table() -> None:
    own = {o.key for o in options().values() if o.family == "placement" and o.versions}
    assert own == SENDERS

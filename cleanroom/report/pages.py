"""Pages of docs/ that are made from tables: `make pages` writes them, and a test holds them
current.

Not here: the tables.
"""

import sys
from pathlib import Path

from cleanroom.findings.codes import codes
from cleanroom.profiles.table import Option, options
from cleanroom.values.setup import SettingClass
from cleanroom.wording import listed

_MADE = "<!-- Made by `make pages` from {source}. Change it there. -->"


def known_by(option: Option) -> str:
    """`Snakemake 7, 8 and 9`, or an executor's plugin."""
    versions = [str(v) for v in option.versions]
    if not versions:
        return option.known_by or "a plugin"
    return f"Snakemake {listed(versions)}"


def settings_page() -> str:
    """Every setting by class and family."""
    lines = [
        _MADE.format(source="cleanroom/profiles/settings.toml"),
        "# Settings",
        "",
        "What every setting of a Snakemake profile does, and whether it can change what a "
        "workflow means; `cleanroom explain KEY`",
        "says the same of one. *Policy* may differ by profile, *meaning* may not. *Conditional* "
        "depends on the workflow;",
        "an audit decides it. An *action* replaces the run.",
        "",
    ]
    for setting_class in SettingClass:
        lines += [f"## {setting_class.capitalize()}", ""]
        chosen = [o for o in options().values() if o.setting_class is setting_class]
        for family in dict.fromkeys(o.family for o in chosen):
            members = [o for o in chosen if o.family == family]
            lines += [f"### {family.replace('-', ' ').capitalize()}", "", members[0].why, ""]
            lines += ["| setting | does | known by | safe | drift |", "|---|---|---|---|---|"]
            lines += [
                f"| `{o.key}` | {_cell(o.does)} | {known_by(o)} | {_cell(o.safe)} | "
                f"{_cell(o.drift)} |"
                for o in members
            ]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def findings_page() -> str:
    """Every code with what it says."""
    lines = [
        _MADE.format(source="cleanroom/findings.toml"),
        "# Findings",
        "",
        "Codes are permanent. An error counts until it is fixed or accepted in `cleanroom.yaml` "
        "(see configuration.md); others inform.",
        "The severity is the usual one; where a finding weighs less, its text says why.",
        "",
        "| code | severity | what was seen | why it matters | what to do |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {code} | {e.severity} | {_cell(e.title)} | {_cell(e.why)} | {_cell(e.repair)} |"
        for code, e in codes().items()
    ]
    return "\n".join(lines) + "\n"


PAGES = {"settings.md": settings_page, "findings.md": findings_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (Path(sys.argv[1]) / name).write_text(page(), encoding="utf-8")

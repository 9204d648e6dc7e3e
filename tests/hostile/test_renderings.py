"""Whatever a repository names, logs or declares stays text in every rendering, as parsers see it.

Each text of a view model is replaced by a hostile one, and the rendering must have the same
skeleton (elements, attributes, tokens, rows) as with plain words: nothing became structure.
"""

import datetime
import functools
import html
import io
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from cleanroom.audit import audit
from cleanroom.commands import boundary, progress
from cleanroom.compare.suggest import Suggestion, Uncovered, as_yaml
from cleanroom.findings.codes import codes
from cleanroom.report import build_report
from cleanroom.report.audit import terminal as audit_terminal
from cleanroom.report.audit.bundle import audit_json, write_bundle
from cleanroom.report.audit.view import AuditReport, build_audit_report, summary
from cleanroom.report.confirmation import terminal
from cleanroom.report.confirmation.files import render
from cleanroom.report.confirmation.view import Accepted, FailedJob, Report
from cleanroom.report.render import render_template, safe_name
from cleanroom.report.review import view as review_view
from cleanroom.report.review.view import ReviewReport, build_review_report, review_json
from cleanroom.report.sarif import sarif
from cleanroom.report.visible import json_text, one_line, spoken, visible
from cleanroom.room.claims import Event
from cleanroom.values.audit import Answer, Audited, Finding, Severity
from cleanroom.values.comparison import Cause, Excerpt, JobSide, Origin, Sameness
from cleanroom.values.declared import CompareOptions
from cleanroom.values.plan import Plan, Rule
from cleanroom.values.review import Drift, ReviewChange, Reviewed, ReviewOutcome
from cleanroom.values.run import RunStatus, Step, StepStatus
from cleanroom.values.setup import Layer, Override, Setting, SettingPlace
from cleanroom.values.verdict import Confirmation
from cleanroom.verdict import judge, judge_audit
from tests.conftest import require
from tests.end_to_end.test_audit import published
from tests.unit.values import (
    NO_AUDIT,
    SOURCE,
    artifact,
    comparison,
    difference,
    evidence,
    job,
    plan_difference,
)

T = TypeVar("T")

FRAGMENTS = [
    "<script>window.pwned=1</script>",
    "</script>",
    "</title>",
    "</style>",
    "</pre>",
    "</details>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    '"><img src=x onerror=window.pwned=1>',
    "' onmouseover='window.pwned=1",
    "<svg/onload=window.pwned=1>",
    "&lt;b&gt;",
    "&#60;",
    "&",
    "<a href=javascript:window.pwned=1>x</a>",
    "[x](javascript:1)",
    "[x](https://evil.example/)",
    "![x](https://evil.example/t.png)",
    "[x]: https://evil.example/",
    "[x][y]",
    "<https://evil.example/>",
    "https://evil.example/",
    "www.evil.example",
    "a@evil.example",
    "data:text/html,x",
    "`",
    "``",
    "```",
    "````",
    "~~~",
    "|",
    "\\|",
    "\\\\|",
    "\\",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\x85",
    "\u2028",
    "\u2029",
    "\x0b",
    "\x0c",
    "\t",
    " ",
    "    ",
    "\xa0",
    "#",
    "# h",
    "- ",
    "1. ",
    "1) ",
    "> ",
    "---",
    "===",
    "\n---\n",
    "\n===\n",
    "|---|",
    "*",
    "**",
    "_",
    "__",
    "~~",
    "- [ ] ",
    "<details>",
    "@someone",
    "@org/team",
    "#1",
    "org/repo#1",
    "GH-1",
    "fixes #1",
    "0123abc",
    "0123456789abcdef" * 2,
    "!1",
    "$1",
    "%1",
    "~bug",
    "&1",
    ":tada:",
    ":+1:",
    "$x$",
    "$$",
    "^[x]",
    "[^1]",
    "{{ 7*7 }}",
    "{% raw %}",
    "{0}",
    "${{ x }}",
    "::error::x",
    "\n::error file=a::x",
    " ::set-output name=a::b",
    "::add-mask::a",
    "##[error]x",
    "##[group]",
    "##vso[task.x]y",
    "###[x]",
    "\x1b[31m",
    "\x1b]8;;https://evil.example/\x07",
    "\x1b]0;t\x07",
    "\x9b31m",
    "\x9d0;t\x9c",
    "\x07",
    "\x08",
    "\x00",
    "\x7f",
    "\x1b[2J",
    "\u202e",
    "\u202a",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u061c",
    "\u3164",
    "\U000e0041",
    "\ufffe",
    "\uffff",
    "\ud800",
    "\udfff",
    "\udc80",
    "section_start:1:a\r\x1b[0K",
    "/close",
    "[red]x[/red]",
    "[link=https://evil.example]x[/link]",
    "[/]",
    "javascript:1",
    "../../../etc/passwd",
    "/etc/passwd",
    "//evil.example/x",
    "C:\\x",
    "- a: b",
    "a: b",
    "*x",
    "&x",
    "!!python/x",
    "%TAG",
    "? x",
    "''",
    '"',
    "'",
    "# x",
    "é",
    "漢字",
    "🙂",
    "x",
    "configuration",
]
HOSTILE = "".join(FRAGMENTS)

texts = st.lists(st.sampled_from(FRAGMENTS), max_size=4).map("".join)


# --- every text of a view model, replaced ---------------------------------------------------------


class Replaced:
    """Gives each text of a value another one, no two alike, so that no condition turns."""

    KEPT = frozenset({"code", "cells", "image", "entry"})
    """The code of a finding and the names in these are this program's own words."""

    def __init__(self, make: Callable[[str], str]) -> None:
        self._make, self._count = make, 0

    def of(self, value: T, field: str = "") -> T:
        """The same shape with other texts."""
        found: T = self._of(value, field)
        return found

    def _of(self, value: Any, field: str) -> Any:
        if isinstance(value, msgspec.Struct):
            kept = {f: getattr(value, f) for f in value.__struct_fields__}
            return msgspec.structs.replace(
                value, **{f: one if f == "code" else self._of(one, f) for f, one in kept.items()}
            )
        if type(value) is str:
            self._count += 1
            return self._make(f"w{self._count}w")
        if isinstance(value, tuple | list):
            return type(value)(self._of(one, field) for one in value)
        if isinstance(value, dict):
            return {
                key if field in self.KEPT else self._of(key, ""): self._of(one, "")
                for key, one in value.items()
            }
        return value


def plain(value: T) -> T:
    """With words that nothing interprets."""
    return Replaced(lambda word: word).of(value)


def hostile(value: T, *around: str) -> T:
    """With the same words between two hostile texts."""
    before, after = around or (HOSTILE, HOSTILE)
    return Replaced(lambda word: f"{before}{word}{after}").of(value)


# --- a report, an audit and a review in which every part is there ---------------------------------


@functools.cache
def a_report() -> Report:
    failed = evidence(
        "ci",
        status=RunStatus.FAILED,
        why="x\ny",
        artifacts=(artifact(content="2"),),
        versions={"snakemake": "9", "python": "3"},
        context={"host": "h"},
        steps=(Step(name="run", status=StepStatus.FAILED, log="x"),),
        settings=(Setting(key="cores", value=["a"], file="f", line=1, shadows=("g",)),),
        overrides=(
            Override(key="k", was=None, now="x", why="w"),
            Override(key="l", was="x", now=None, why="w"),
        ),
    )
    runs = evidence("local"), failed
    found = comparison(
        artifacts=(
            difference(
                note="n",
                rule="count",
                kinds=("order of rows",),
                facts=("f",),
                diffoscope="x",
                comparator="text/1",
                excerpts=(Excerpt(where="w", left="l", right="r", kind="k"),),
                pictures=("data:image/png;base64,AA==",) * 3,
            ),
            difference(path="derived.txt", origin=False, note="n", rule="r"),
            difference(path="noise.txt", noise=True, note="n", rule="r"),
            difference(path="log.txt", decides=False, note="n"),
            difference(path="payload.txt", sameness=Sameness.PAYLOAD, decides=False),
        ),
        origins=(
            Origin(
                rule="r",
                wildcards={"a": "b"},
                paths=("p",),
                derived=("q",),
                left=JobSide(command="c", log="l", log_tail="t"),
                right=None,
            ),
            Origin(
                rule="",
                wildcards={},
                paths=("p", "q"),
                derived=(),
                left=None,
                right=None,
                by_time=True,
            ),
        ),
        plan=(
            plan_difference(),
            plan_difference(field="threads", decides=False, note="n"),
            plan_difference(job="other", noise=True),
        ),
        counts={Sameness.BYTES: 3, Sameness.DIFFERENT: 2, Sameness.PAYLOAD: 1},
    )
    judgement = judge(runs, [found], ["local", "ci"], NO_AUDIT)
    audited = an_audited()
    confirmation = Confirmation(
        source=SOURCE,
        repo=SOURCE.url,
        entry=runs[0].entry,
        baseline="local",
        wanted=("local", "ci"),
        runs=runs,
        evidence={"local": "c" * 64, "ci": "d" * 64, "old": "e" * 64},
        comparisons=(found,),
        judgement=judgement,
        audit=msgspec.structs.replace(audited.audit, findings=findings()),
        causes=(
            Cause(
                name="cores",
                values={"local": "1", "ci": "2"},
                found="f",
                certain=False,
                steps=("s",),
            ),
        ),
        started=1.8e9,
        seconds=75.0,
        groups=(("local", "third"), ("ci",)),
        earlier=msgspec.structs.replace(runs[0], called="old"),
    )
    report = build_report(confirmation)
    first, *others = report.runs
    failing = [
        msgspec.structs.replace(run, failed=(FailedJob(job="j", attempts=2, log="l"),))
        for run in others
    ]
    return msgspec.structs.replace(
        report,
        runs=(first, *failing),
        unproven=("u", "v"),
        accepted=(
            *report.accepted,
            Accepted(path="p", left="l", right="r", sameness=Sameness.CANONICAL, rule="r"),
        ),
    )


def findings() -> tuple[Finding, ...]:
    one = Finding(
        code="CR-016",
        severity=Severity.ERROR,
        text="t",
        file="Snakefile",
        line=3,
        profile="ci",
        key="k",
        why="w",
        repair="r",
    )
    note = msgspec.structs.replace(one, severity=Severity.NOTE, file="profiles/ci/config.yaml")
    return (
        one,
        msgspec.structs.replace(one, accepted="by somebody"),
        note,
        msgspec.structs.replace(one, code="CR-001", line=0),
    )


@functools.cache
def an_audited() -> Audited:
    setting = tuple(
        Setting(key=k, value=v, file="f", line=1, shadows=("g",))
        for k, v in (
            ("config", ["a=1"]),
            ("cores", "2"),
            ("touch", "True"),
            ("strange", "x"),
            ("quiet", "all"),
        )
    )
    layer = Layer(file="profiles/ci/config.yaml", sha256="c" * 64, text="x: 1\n", rivals=("r",))
    base = evidence("local", attempts=(), artifacts=())
    plan = Plan(
        jobs=(job(rule="other", params=["p"]),),
        rules={"other": Rule(code={"shellcmd": "c"}, checkpoint=True)},
    )
    other = evidence(
        "ci",
        settings=setting,
        stack=(layer,),
        plan=plan,
        attempts=(),
        artifacts=(),
        why="w\nx",
        versions={"snakemake": "9"},
        overrides=(Override(key="k", was=None, now="x", why="w"),),
        lost=(SettingPlace(key="k", file="f", line=1, text="t"),),
    )
    found = audit([base, other], [], None)
    found = msgspec.structs.replace(
        found,
        findings=(*found.findings, *findings()),
        answers=(*found.answers, Answer(question="q", answer="a", good=None)),
    )
    outcome, code, reasons = judge_audit([base, other], found)
    return Audited(
        source=SOURCE,
        repo=SOURCE.url,
        entry=base.entry,
        runs=(base, other),
        audit=found,
        outcome=outcome,
        exit_code=code,
        reasons=reasons or ("because",),
        started=1.8e9,
        seconds=2.0,
    )


@functools.cache
def an_audit() -> AuditReport:
    return build_audit_report(an_audited())


@functools.cache
def a_review() -> ReviewReport:
    audited = an_audited()
    changes = tuple(
        ReviewChange(
            topic="setting",
            name="n",
            drift=drift,
            before="b",
            after="a",
            why="w",
            claim="weaker: c",
            question="q?",
            proof="cleanroom x",
            profiles=("local", "ci"),
            file="f",
            line=2,
        )
        for drift in Drift
    )
    reviewed = Reviewed(
        repo=SOURCE.url,
        base=SOURCE,
        head=SOURCE,
        entry=audited.entry,
        ancestor=False,
        declared=("d",),
        outcome=ReviewOutcome.SEMANTIC_DRIFT,
        exit_code=1,
        reasons=("r", "s"),
        notes=("n", "m"),
        changes=changes,
        audit=audited.audit,
        started=1.8e9,
        seconds=2.0,
    )
    return build_review_report(reviewed)


MODELS: dict[str, tuple[str, Callable[[], Any]]] = {
    "report": ("r", a_report),
    "audit": ("a", an_audit),
    "review": ("v", a_review),
}
SEEN = st.tuples(texts, texts)


def page(model: str, form: str, change: Callable[[Any], Any]) -> str:
    """One rendering of one view model, after its texts were replaced."""
    letter, make = MODELS[model]
    return render_template(f"{model}.{form}.j2", **{letter: change(make())})


def assert_harmless(text: str, *, tabs: bool = False) -> None:
    """No character that acts or hides, but newlines."""
    acting = {c for c in text if c not in "\n\t\ufe0f" and not c.isprintable() and c not in "\xa0"}
    assert acting == set()
    assert "\ufeff" not in text


# --- HTML -----------------------------------------------------------------------------------------


class Skeleton(HTMLParser):
    """All of a page but its texts: elements, names of attributes, comments, declarations."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, ...]] = []
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *(name for name, _ in attrs)))
        self.addresses += [
            value or ""
            for name, value in attrs
            if name in ("src", "href", "action", "style", "srcdoc")
        ]

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(("/", tag))

    def handle_comment(self, data: str) -> None:
        self.parts.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.parts.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.parts.append(("instruction", data))

    def unknown_decl(self, data: str) -> None:
        self.parts.append(("unknown", data))


@pytest.mark.parametrize("model", MODELS)
def test_html_has_no_other_elements(model: str) -> None:
    expected = Skeleton(page(model, "html", plain)).parts
    assert len(expected) > 100
    assert_page(page(model, "html", hostile), expected)


def assert_page(text: str, expected: Sequence[tuple[str, ...]]) -> None:
    found = Skeleton(text)
    assert found.parts == expected
    assert all(re.match(r"data:(image/|,$)", address) for address in found.addresses)
    assert_harmless(html.unescape(text).replace("\xa0", ""))


@pytest.mark.parametrize("model", MODELS)
def test_html_of_random_texts(model: str) -> None:
    expected = Skeleton(page(model, "html", plain)).parts

    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(SEEN)
    def check(around: tuple[str, str]) -> None:
        assert_page(page(model, "html", lambda v: hostile(v, *around)), expected)

    check()


def test_a_picture_is_in_the_page_or_is_none() -> None:
    shown = [
        difference(path="p", pictures=(address,))
        for address in (
            "https://evil.example/t.png",
            "javascript:1",
            "data:text/html;base64,AA==",
            "data:image/svg+xml;base64,AA==",
            "//evil.example/x",
        )
    ]
    view = a_report().differences[0]
    report = msgspec.structs.replace(
        a_report(),
        differences=tuple(msgspec.structs.replace(view, pictures=d.pictures) for d in shown),
    )
    assert Skeleton(render_template("report.html.j2", r=report)).addresses == ["data:,"] * len(
        shown
    )
    assert (
        "data:image/png;base64,AA=="
        in Skeleton(render_template("report.html.j2", r=a_report())).addresses
    )


# --- Markdown -------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What code hosts look for in the text that Markdown yields, outside of code.
ACTIVE = re.compile(
    r"@[\w-]|#\d|[!$&]\d|[%~](?:\w|[\"'])|\bGH-\d|\b[0-9a-f]{7,40}\b"
    r"|://|\bwww\.\w|:[\w+-]+:|##\w*\[",
    re.IGNORECASE,
)


def tokens(text: str) -> list[tuple[str, str]]:
    """The tree of a document without its texts; what is raw HTML, with it."""
    found = []
    for token in MARKDOWN.parse(text):
        found.append((token.type, token.content if token.type.startswith("html") else token.info))
        found += [
            (child.type, "")
            for child in token.children or []
            if child.type not in ("text", "text_special")
        ]
    return found


def assert_markdown(text: str, expected: Sequence[tuple[str, str]]) -> None:
    found = tokens(text)
    assert found == expected
    assert not {kind for kind, _ in found} & {"html_inline", "link_open", "image"}
    for token in MARKDOWN.parse(text):
        if token.type == "inline":
            assert not token.content.startswith("/"), "a command of a code host"
        for child in token.children or []:
            if child.type == "text":
                assert not ACTIVE.search(child.content), child.content
    assert_harmless(text)
    for line in text.splitlines():
        assert not line.lstrip().startswith("::")


def test_markdown_is_parsed_as_it_should_be_here() -> None:
    """The parser that the others ask sees what they fear."""
    assert ("html_inline", "") in tokens("a <b>x</b>")
    assert {
        kind for kind, _ in tokens("[x](https://a.example) ![y](z)\n\n| a |\n|---|\n| b |")
    } >= {"link_open", "image", "tr_open"}


@pytest.mark.parametrize("model", MODELS)
def test_markdown_has_no_other_tokens(model: str) -> None:
    expected = tokens(page(model, "md", plain))
    assert len(expected) > 50
    for fragment in FRAGMENTS:
        assert_markdown(page(model, "md", functools.partial(around, fragment)), expected)


def around(fragment: str, value: T) -> T:
    return hostile(value, fragment, fragment)


@pytest.mark.parametrize("model", MODELS)
def test_markdown_of_random_texts(model: str) -> None:
    expected = tokens(page(model, "md", plain))

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(SEEN)
    def check(both: tuple[str, str]) -> None:
        assert_markdown(page(model, "md", lambda v: hostile(v, *both)), expected)

    check()


@pytest.mark.parametrize(
    "text", ["", " ", "`", "``", "` `", "\\", "a`b``c", " ` ", "\\`", "|", "a\\|b", "`" * 400]
)
def test_a_code_span_is_one_whatever_it_holds(text: str) -> None:
    change = msgspec.structs.replace(a_review().changes[0], before=text, after=text, name=text)
    report = msgspec.structs.replace(a_review(), changes=(change,))
    assert tokens(render_template("review.md.j2", v=report)) == tokens(
        render_template(
            "review.md.j2", v=msgspec.structs.replace(a_review(), changes=(a_review().changes[0],))
        )
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_comment_is_never_too_long(model: str) -> None:
    """Very long texts, and very many, still make a comment that a code host takes."""
    letter, make = MODELS[model]
    value = many(hostile(make(), "`<|" * 300_000, "x\n" * 1000))
    text = render_template(f"{model}.md.j2", **{letter: value})
    assert len(text) < 65_000
    kinds = [
        (kind, said) for kind, said in tokens(text) if kind.startswith("html") or kind == "fence"
    ]
    assert sum("<details>" in said for _, said in kinds) == sum(
        "</details>" in said for _, said in kinds
    )
    assert {said.strip() for kind, said in kinds if kind == "fence"} <= {"sh"}
    assert "cut here" in text


def many(value: Any) -> Any:
    """Each list of structs a hundred times as long."""
    longer = {
        f: getattr(value, f) * 100
        for f in value.__struct_fields__
        if isinstance(getattr(value, f), tuple)
    }
    return msgspec.structs.replace(value, **longer)


@pytest.mark.parametrize("model", MODELS)
def test_a_page_stays_of_a_size_that_opens(model: str) -> None:
    assert (
        len(page(model, "html", lambda v: hostile(v, "<" * 1_000_000, "\x1b" * 1_000_000)))
        < 20_000_000
    )


# --- XML, JSON, SARIF -----------------------------------------------------------------------------


def test_junit_has_no_other_elements() -> None:
    def shape(report: Report) -> list[tuple[str, tuple[str, ...]]]:
        root = ET.fromstring(render(report, "junit").encode())
        for element in root.iter():
            for text in (element.text or "", *element.attrib.values()):
                assert_harmless(text)
        return [(element.tag, tuple(element.attrib)) for element in root.iter()]

    expected = shape(plain(a_report()))
    assert shape(hostile(a_report())) == expected
    for fragment in FRAGMENTS:
        assert shape(around(fragment, a_report())) == expected


JSONS: dict[str, tuple[Callable[[], Any], Callable[[Any], str]]] = {
    "report": (a_report, lambda v: render(v, "json")),
    "audit": (an_audit, audit_json),
    "review": (a_review, review_json),
    "summary": (an_audit, lambda v: json_text(summary(v.settings))),
}


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("name", JSONS)
def test_json_is_valid_and_acts_on_no_terminal(name: str) -> None:
    make, write = JSONS[name]
    text = write(hostile(make()))
    text.encode()
    assert_harmless(text)
    assert not re.search(r"##\w*\[", text)
    json.loads(text, parse_constant=refuse)
    msgspec.json.decode(text)


def test_json_says_the_same_whatever_is_escaped() -> None:
    texts_of = [f for f in FRAGMENTS if f.isascii() or not re.search("[\ud800-\udfff]", f)]
    assert json.loads(json_text(texts_of)) == texts_of
    assert json.loads(json_text({"a\ud800": ["\udfff", float("nan"), float("inf"), 1]})) == {
        "a\\ud800": ["\\udfff", None, None, 1]
    }


def test_sarif_leads_nowhere() -> None:
    rules = published("https://json.schemastore.org/sarif-2.1.0.json")
    files = [*FRAGMENTS, "a b/ü.smk", "a\\\\b", "x\\xff", "", "a/../../b", "..", "javascript:1"]
    found = [msgspec.structs.replace(hostile(findings()[1]), file=file) for file in files]
    text = sarif(hostile(SOURCE), found)
    log = json.loads(text)
    jsonschema.validators.validator_for(rules)(rules).validate(log)
    msgspec.json.decode(text)
    uris = [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for r in log["runs"][0]["results"]
        for place in r.get("locations", [])
    ]
    assert {"a%20b/%C3%BC.smk", "a%5Cb", "x%FF"} <= set(uris)
    for uri in uris:
        assert re.fullmatch(r"[\w.~/%-]+", uri), uri
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
    for result in log["runs"][0]["results"]:
        for said in (result["message"]["text"], result["suppressions"][0]["justification"]):
            assert "](" not in said
            assert "\n" not in said
            assert len(said) < 10 * 1000 + 100
            assert_harmless(said)


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://example.org/w.git", "https://example.org/w.git"),
        ("/srv/w w", "file:///srv/w%20w"),
        ("javascript://x", ""),
        ("https://[", ""),
        ("https://a b\x1b", "https://a%20b%1B"),
        ("data://x", ""),
        ("\ud800", "file://%5Cud800"),
    ],
)
def test_the_repository_of_a_sarif(url: str, uri: str) -> None:
    log = json.loads(sarif(msgspec.structs.replace(SOURCE, url=url), findings()))
    assert [p["repositoryUri"] for p in log["runs"][0].get("versionControlProvenance", [])] == (
        [uri] if uri else []
    )


def test_a_bundle_is_written_whatever_the_profiles_are_called(tmp_path: Path) -> None:
    audited = msgspec.structs.replace(
        an_audited(), runs=hostile(an_audited().runs, "漢" * 5000, "\ud800/../x")
    )
    paths = write_bundle(audited, hostile(an_audit()), tmp_path / "bundle")
    assert all(path.is_file() for path in paths)
    assert {p.name for p in tmp_path.iterdir()} == {"bundle"}


@pytest.mark.parametrize("text", [*FRAGMENTS, "a" * 1000, "漢" * 1000, "..", "."])
def test_a_name_becomes_one_file_name(text: str) -> None:
    name = safe_name(text)
    assert name not in ("", ".", "..")
    assert "/" not in name
    assert len(name.encode()) < 200


# --- the terminal ---------------------------------------------------------------------------------


def assert_terminal(text: str) -> None:
    """Nothing acts but newlines and our own colours, and no line is a command to CI."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert_harmless(said)
    assert "\t" not in said
    assert not re.search(r"##\w*\[", said)
    for line in said.splitlines():
        assert not line.strip().startswith("::")


@pytest.mark.parametrize("show", [terminal.show, audit_terminal.show, review_view.show_review])
def test_panels(show: Callable[..., None]) -> None:
    make: Callable[[], Any] = {
        terminal.show: a_report,
        audit_terminal.show: an_audit,
        review_view.show_review: a_review,
    }[show]

    def panel(value: Any) -> str:
        stream = io.StringIO()
        show(
            value,
            [Path("out/report.html")],
            Console(
                file=stream,
                force_terminal=True,
                color_system="truecolor",
                width=100,
                highlight=False,
            ),
        )
        return stream.getvalue()

    assert re.search(r"w\d+w", panel(plain(make())))
    for fragment in [HOSTILE, *FRAGMENTS]:
        assert_terminal(panel(around(fragment, make())))


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_lines_on_standard_error(fragment: str, capsys: pytest.CaptureFixture[str]) -> None:
    boundary.say(f"{fragment}\n{fragment}")
    watch = progress.Progress(Console(file=io.StringIO()))
    watch.saw(fragment, Event(event="step", name=fragment, state="begin"))
    watch.saw(fragment + "x", Event(event="step", name="run", state="begin"))
    said = capsys.readouterr()
    assert said.out == ""
    assert_terminal(said.err.replace("\t", ""))
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, width=100).print(watch)
    assert_terminal(stream.getvalue())


def test_a_traceback_is_said_like_all_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import argparse

    from cleanroom.commands import doctor
    from cleanroom.errors import UsageError

    def fail(_: argparse.Namespace) -> int:
        raise UsageError("\n::error::x \x1b[2J ##[add-mask]x")

    monkeypatch.setattr(doctor, "command", fail)
    assert boundary.guarded(argparse.Namespace(verbose=True, verb="doctor")) == 2
    assert_terminal(capsys.readouterr().err.replace("\t", ""))


def test_what_visible_keeps() -> None:
    assert visible("a\n\tb é 漢字 🙂 ⚠️ # [x] ## [y] a::b") == "a\n\tb é 漢字 🙂 ⚠️ # [x] ## [y] a::b"
    assert visible("\x1b\u202e\U000e0041\ud800") == "\\x1b\\u202e\\U000e0041\\ud800"
    assert one_line("a\nb\tc") == "a\\nb\\tc"
    assert spoken("x\n  ::error::y\nstd::z") == "x\n  \\x3a:error::y\nstd::z"
    assert one_line("a" * 6000) == "a" * 5000 + "… (1000 more characters)"


# --- suggestions ----------------------------------------------------------------------------------

TODAY = datetime.date(2027, 1, 1)


@pytest.mark.parametrize(
    "fragment", [*FRAGMENTS, ("x" * 130 + " ::error::y ") * 3, "a: [b]\nequivalences: []", HOSTILE]
)
def test_suggestions_are_the_yaml_that_they_should_be(fragment: str) -> None:
    clean = re.sub("[\ud800-\udfff]", "", fragment)
    rules = CompareOptions(ignore=(clean,), mask=(clean,), delimiter=clean)
    one = Suggestion(comparator=clean, options=rules, paths=("p",), rule="")
    other = Suggestion(
        comparator="text", options=CompareOptions(), paths=(clean, "q"), rule=clean + "r"
    )
    text = as_yaml([one, other], [Uncovered(path=fragment, why=fragment)], TODAY)
    assert_terminal(text)
    entries = yaml.safe_load(text)["equivalences"]
    assert [entries[0]["comparator"], entries[0]["options"].get("ignore"), entries[1]["rule"]] == [
        clean,
        [clean],
        clean + "r",
    ]
    assert yaml.safe_load(text).keys() == {"equivalences"}
    assert len([line for line in text.splitlines() if line.startswith("#")]) == 1
    assert [entry["reason"] for entry in entries] == ["", ""]


# --- a real browser -------------------------------------------------------------------------------


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    from selenium import webdriver

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    require(
        bool(chromium and driver),
        "Chromium and its driver are not installed (apt-get install chromium chromium-driver)",
    )
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'c'}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=str(driver))
    )
    yield made
    made.quit()


def test_no_script_runs_and_nothing_is_asked_for(browser: Any, tmp_path: Path) -> None:
    for model in MODELS:
        place = tmp_path / f"{model}.html"
        place.write_text(page(model, "html", hostile), encoding="utf-8")
        browser.get_log("performance")
        browser.get(place.as_uri())
        assert browser.execute_script("return window.pwned === undefined")
        assert (
            browser.execute_script(
                "return document.querySelectorAll('script, iframe, svg, a, form, object').length"
            )
            == 0
        )
        assert browser.get_log("browser") == []
        asked = [
            json.loads(entry["message"])["message"]["params"]["request"]["url"]
            for entry in browser.get_log("performance")
            if '"Network.requestWillBeSent"' in entry["message"]
        ]
        assert asked
        assert {url for url in asked if not url.startswith(("data:", "chrome:"))} == {
            place.as_uri()
        }


def test_the_codes_are_this_program_s_own() -> None:
    assert {f.code for f in findings()} <= codes().keys()

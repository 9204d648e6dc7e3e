"""The report in a real browser: readable wide and narrow, light and dark, without network or
script.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from benchmarks.pairs.makers import picture
from cleanroom.audit import audit
from cleanroom.compare.formats.registry import Question, answer
from cleanroom.report import build_report
from cleanroom.report.audit.bundle import write_bundle
from cleanroom.report.audit.view import build_audit_report
from cleanroom.report.confirmation.files import write_reports
from cleanroom.report.review.view import build_review_report, write_review
from cleanroom.review.reviewing import judge_review, notes_of, review
from cleanroom.review.routes import Routes
from cleanroom.values.audit import Audited, Finding, Severity
from cleanroom.values.comparison import Excerpt, JobSide, Origin, Sameness
from cleanroom.values.plan import Plan, Rule
from cleanroom.values.review import History, Pair, Reviewed
from cleanroom.values.setup import Layer, Setting
from cleanroom.values.verdict import Confirmation
from cleanroom.verdict import judge, judge_audit
from tests.conftest import require
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

HOSTILE = "<img src=x onerror=alert(1)> \x1b[31m‮ \"quoted' & long" + "x" * 300


@pytest.fixture(scope="module", params=["report", "audit", "review"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each page, made from values that a hostile repository could choose."""
    folder = tmp_path_factory.mktemp(request.param)
    return {"report": report_page, "audit": audit_page, "review": review_page}[request.param](
        folder
    )


def report_page(folder: Path) -> Path:
    runs = evidence("local"), evidence(HOSTILE, artifacts=(artifact(content="2"),))
    found = comparison(
        right=HOSTILE,
        artifacts=(
            difference(
                path=HOSTILE,
                note=HOSTILE,
                rule="count",
                kinds=(HOSTILE,),
                facts=(HOSTILE,),
                diffoscope=HOSTILE,
                comparator="text/1",
                excerpts=(Excerpt(where=HOSTILE, left=HOSTILE, right="", kind=HOSTILE),),
            ),
            difference(path="results/plot.png", pictures=pictures(folder)),
            difference(path="results/derived.txt", origin=False),
        ),
        origins=(
            Origin(
                rule=HOSTILE,
                wildcards={HOSTILE: HOSTILE},
                paths=(HOSTILE,),
                derived=("results/derived.txt",),
                by_time=True,
                left=JobSide(command=HOSTILE, log=HOSTILE, log_tail=HOSTILE),
                right=None,
            ),
        ),
        plan=(plan_difference(left="wc " * 100, right=HOSTILE),),
        counts={Sameness.BYTES: 3, Sameness.DIFFERENT: 2},
    )
    warning = Finding(code="CR-001", severity=Severity.WARNING, text=HOSTILE, file=HOSTILE, line=3)
    confirmation = Confirmation(
        source=SOURCE,
        repo=SOURCE.url,
        entry=runs[0].entry,
        baseline="local",
        wanted=("local", HOSTILE),
        runs=runs,
        evidence={"local": "c" * 64, HOSTILE + "2": "d" * 64},
        comparisons=(found,),
        judgement=judge(runs, [found], ["local", HOSTILE], NO_AUDIT),
        audit=msgspec.structs.replace(NO_AUDIT, findings=(warning,)),
        causes=(),
        started=1.8e9,
        seconds=75.0,
        groups=(("local", "third"), (HOSTILE,)),
        earlier=msgspec.structs.replace(runs[0], called=HOSTILE + "2"),
    )
    write_reports(build_report(confirmation), folder)
    return folder / "report.html"


def pictures(folder: Path) -> tuple[str, ...]:
    """Two pictures and what differs between them, as a comparator shows them."""
    files = []
    for dot in (0, 200):
        files.append(folder / f"{dot}.png")
        files[-1].write_bytes(picture("PNG", dot=dot))
    return answer(Question(left=str(files[0]), right=str(files[1]), name="plot.png")).pictures


def hostile_audit() -> Audited:
    """Two profiles of which one is hostile in every text, with each kind of decision and a plan
    that drifts.
    """
    settings = tuple(
        Setting(key=key, value=value, file=HOSTILE, line=1, shadows=(HOSTILE,))
        for key, value in (
            ("config", [HOSTILE]),
            ("cores", "2"),
            ("touch", "True"),
            (HOSTILE, HOSTILE),
            ("quiet", "all"),
        )
    )
    layer = Layer(file=HOSTILE, sha256="c" * 64, text=HOSTILE, rivals=(HOSTILE,))
    base = evidence("local", attempts=(), artifacts=())
    plan = Plan(
        jobs=(job(rule=HOSTILE, params=[HOSTILE]),),
        rules={HOSTILE: Rule(code={"shellcmd": HOSTILE}, checkpoint=True)},
    )
    other = evidence(
        HOSTILE,
        settings=settings,
        stack=(layer,),
        plan=plan,
        attempts=(),
        artifacts=(),
        why=HOSTILE,
    )
    found = audit([base, other], [], None)
    outcome, code, reasons = judge_audit([base, other], found)
    return Audited(
        source=SOURCE,
        repo=SOURCE.url,
        entry=base.entry,
        runs=(base, other),
        audit=found,
        outcome=outcome,
        exit_code=code,
        reasons=reasons,
        started=1.8e9,
        seconds=2.0,
    )


def audit_page(folder: Path) -> Path:
    audited = hostile_audit()
    write_bundle(audited, build_audit_report(audited), folder)
    return folder / "audit.html"


def review_page(folder: Path) -> Path:
    audited = hostile_audit()
    pair = Pair(
        profile=HOSTILE, base=audited.runs[0], between=audited.runs[0], head=audited.runs[1]
    )
    history = History(ancestor=False, changed={"cleanroom.yaml": "M", "tests/" + HOSTILE: "D"})
    changes = review([pair], history, Routes(repo=HOSTILE, commit="c" * 40, baseline=HOSTILE))
    outcome, code, reasons = judge_review([pair], changes)
    reviewed = Reviewed(
        repo=SOURCE.url,
        base=SOURCE,
        head=SOURCE,
        entry=audited.entry,
        ancestor=False,
        declared=(),
        outcome=outcome,
        exit_code=code,
        reasons=reasons,
        notes=notes_of([pair], history),
        changes=changes,
        audit=audited.audit,
        started=1.8e9,
        seconds=2.0,
    )
    write_review(build_review_report(reviewed), folder)
    return folder / "review.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
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
        "--disable-quic",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=str(driver))
    )
    yield made
    made.quit()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_it_is_readable(browser: webdriver.Chrome, page: Path, width: int, scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.get(page.as_uri())
    assert browser.find_element(By.CSS_SELECTOR, ".verdict").text in {
        "DRIFTED",
        "ERRORS",
        "SEMANTIC DRIFT",
    }
    edge = browser.execute_script(
        "const m = document.querySelector('main'); return "
        "parseFloat(getComputedStyle(m).paddingLeft)"
    )
    assert edge >= 15, "text must not stick to the edge"
    assert (
        browser.execute_script(
            "return document.querySelector('main').getBoundingClientRect().width"
        )
        <= 1024
    )
    overflow = browser.execute_script(
        "return document.documentElement.scrollWidth - window.innerWidth"
    )
    assert overflow <= 0, "the page must not scroll sideways"
    low = browser.execute_script(CONTRAST)
    assert low == [], "text must stand out from its ground by 4.5 to 1"
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_nothing_hostile_became_markup(browser: webdriver.Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    assert (
        browser.find_elements(By.CSS_SELECTOR, ":not(figure) > img, script, iframe, [onerror]")
        == []
    )
    assert all(
        (img.get_attribute("src") or "").startswith("data:image/")
        for img in browser.find_elements(By.TAG_NAME, "img")
    )
    assert "<img src=x" in browser.find_element(By.TAG_NAME, "body").text
    assert "\x1b" not in page.read_text()


def test_what_differs_is_shown_where_it_began(browser: webdriver.Chrome, page: Path) -> None:
    if page.name != "report.html":
        return
    browser.get(page.as_uri())
    first = browser.find_element(By.CSS_SELECTOR, "article.origin-job")
    assert ("by the time it was written" in first.text, "no such job" in first.text) == (True, True)
    shown = browser.find_elements(By.CSS_SELECTOR, "figure img")
    assert [browser.execute_script("return arguments[0].naturalWidth", img) for img in shown] == [
        40,
        40,
        40,
    ], "pictures are drawn"
    assert len(browser.find_elements(By.CSS_SELECTOR, "table.excerpts tbody tr")) == 1
    body = browser.find_element(By.TAG_NAME, "body").text
    assert "All against all: local = third" in body


def test_it_needs_no_network(browser: webdriver.Chrome, page: Path) -> None:
    browser.get_log("performance")
    browser.get(page.as_uri())
    asked = [
        entry["message"]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert asked
    assert not [message for message in asked if "http://" in message or "https://" in message]


def test_folded_parts_open_by_keyboard(browser: webdriver.Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    if not browser.find_elements(By.CSS_SELECTOR, "details.room"):
        return  # a review folds nothing
    *_, room = browser.find_elements(By.CSS_SELECTOR, "details.room")
    assert not room.get_attribute("open")
    room.find_element(By.TAG_NAME, "summary").send_keys("\n")
    assert room.get_attribute("open")
    assert "c" * 64 in room.text or page.name == "report.html"


# The contrast of every visible text with the ground behind it, as in WCAG 2.1; returns what falls
# below 4.5 to 1.
CONTRAST = """
const parse = c => c.match(/[\\d.]+/g).map(Number);
const lum = ([r, g, b]) => [r, g, b].map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; })
  .reduce((a, v, i) => a + v * [.2126, .7152, .0722][i], 0);
const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
  return [255, 255, 255]; };
const low = [];
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
  const a = lum(parse(getComputedStyle(e).color)), b = lum(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) low.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
return low;
"""

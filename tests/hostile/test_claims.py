"""What a workflow can say in the name of the room's driver: a job nothing, code in a Snakefile only
what is of its own step.

Every workflow here has a result that hangs on its threads, so that an honest account of it is
DRIFTED and never HELD.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanroom.room.claim_reader import ClaimReader
from cleanroom.room.claims import Budget, ClaimError
from tests.conftest import Make, Result, require_engine
from tests.hostile.memory import MOST, peak

Confirm = Callable[..., tuple[Result, dict[str, Any]]]
PROFILES = {"profiles/local/config.yaml": "cores: 1\n", "profiles/ci/config.yaml": "cores: 2\n"}
RULES = """
rule all:
    input: "a.txt"
rule one:
    output: "a.txt"
    threads: 2
    shell: "echo {threads} > {output}; python3 job.py {output}"
"""
FORGED_JOB = {
    "rule": "one",
    "output": [{"path": "a.txt", "flags": ["temp"]}],
    "input": [],
    "log": [],
    "wildcards": {},
}

BY_JOB = {
    "write claims into the room's folder": """
for name, value in dict(steps={"run": {"status": "ok"}}, final={"idle": [], "code": 0}, settings={}, effects=[], plan=None).items():
    open(f"/room/out/{name}.json", "w").write(json.dumps(value))
open("/room/out/events.jsonl", "a").write(json.dumps({"event": "done"}) + "\\n")
""",
    "write to all pipes of all processes": """
for pid in filter(str.isdigit, os.listdir("/proc")):
    for fd in range(40):
        try:
            pipe = os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
            os.write(pipe, b'!{"claim": "done", "value": {}}\\n')
        except OSError:
            pass
""",
    "write to what it inherited": """
for fd in range(3, 200):
    try:
        os.write(fd, b'!{"claim": "done", "value": {}}\\n')
    except OSError:
        pass
""",
    "change the profile that runs": """
for folder, _, files in os.walk("/room/out"):
    for name in files:
        if name.endswith(".yaml"):
            open(os.path.join(folder, name), "w").write('{"dry-run": true}')
""",
    "end the first process": "os.kill(1, 15)\ntime.sleep(1)\n",
    "end everything": "os.kill(-1, 9)\n",
    "stand still with everything": "os.kill(os.getppid(), 9)\n",
    "remove the driver's folder": "import shutil; shutil.rmtree('/room/out', ignore_errors=True)\n",
    "links in the driver's folder": """
import shutil
shutil.rmtree("/room/out/profile", ignore_errors=True)
for name in ("run.log", "plan.log", "profile"):
    try:
        os.unlink(f"/room/out/{name}")
    except OSError:
        pass
    os.symlink("/etc/passwd", f"/room/out/{name}")
""",
    "pipes in the driver's folder": """
for name in ("run.log", "plan.log", "lint.log"):
    try:
        os.unlink(f"/room/out/{name}")
    except OSError:
        pass
    os.mkfifo(f"/room/out/{name}")
""",
    "a module of Python in the clone": "open('sitecustomize.py', 'w').write('import os; "
    "os._exit(0)')\n",
    "a preloaded library": "os.environ['LD_PRELOAD'] = '/room/work/x.so'\n",
}

FATAL = ("end the first process", "end everything", "stand still with everything")
IMPORTS = "import json, os, sys, time\n"
ONE_OF_MANY = """
rule attack{place}:
    input: {before}
    output: "{place}.txt"
    threads: 2
    shell: "echo {{threads}} > {{output}}; python3 job{place}.py {{output}}"
"""

PIPES = (
    f"""JOB = {json.dumps(FORGED_JOB)}"""
    + """
import json, os, sys
def say(*lines):
    for fd in os.listdir("/proc/self/fd"):
        try:
            if os.readlink("/proc/self/fd/" + fd).startswith("pipe:") and int(fd) > 2:
                data = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\\n" for line in lines)
                while data:
                    data = data[os.write(int(fd), data):]
        except OSError:
            pass
planning = "--dry-run" in sys.argv
linting = "--lint" in sys.argv
running = not planning and not linting
"""
)
BY_CODE = {
    "the end of the work": 'if planning: say(b\'\\n!{"claim": "done", "value": {}}\\n\')',
    "another step": 'if planning: say({"claim": "step", "value": {"name": "run", "state": '
    '"start"}})',
    "the end of a run that never ran": 'if planning: say({"claim": "final", "value": {"idle": '
    '[], "code": 0, "unstaged": []}}); os._exit(0)',
    "other settings": 'if planning: say({"claim": "settings", "value": {}})',
    "settings without an effect": 'if planning: say({"claim": "effects", "value": []})',
    "that nothing is different": 'if running: say({"claim": "effects", "value": []})',
    "a job with a temporary output": 'if running: say({"claim": "start", "value": {"job": JOB, '
    '"number": 0}}, {"claim": "end", "value": {"number": 0, "ok": True}})',
    "a second account of a job": 'if running: say({"claim": "start", "value": {"job": JOB, '
    '"number": 77}}, {"claim": "end", "value": {"number": 77, "ok": True}})',
    "a job that no plan has": 'if running: say({"claim": "start", "value": {"job": dict(JOB, '
    'rule="zzz"), "number": 78}})',
    "a job of no plan": 'if running: say({"claim": "start", "value": {"planned": 9, '
    '"number": 79}})',
    "the end of no job": 'if running: say({"claim": "end", "value": {"number": 99, "ok": True}})',
    "that it ran": 'if running: say({"claim": "final", "value": {"idle": [], "code": 0, '
    '"unstaged": []}}); os._exit(0)',
    "nothing": "if running: os._exit(0)",
    "no plan": "if planning: os._exit(0)",
    "a plan of its own": 'if planning: say({"claim": "job", "value": JOB}, {"claim": "plan", '
    '"value": {"rules": {}, "config": {}, "targets": []}}); os._exit(0)',
    "what is no JSON": 'if planning: say(b"garbage\\n")',
    "a line of another speaker": 'if planning: say(b"\\x00\\xff\\n")',
    "a plan that is none": 'if planning: say({"claim": "plan", "value": [1, 2]})',
    "a nest without end": 'if planning: say(b\'{"claim": "plan", "value": \' + b"[" * 200000 '
    '+ b"\\n")',
    "a line without end": 'if planning: say(b"x" * (40 * 2**20))',
    "more than fits": 'if running: [say({"claim": "undescribed", "value": {"rule": "x", "text": '
    '"y" * 2**20}}) for _ in range(300)]',
    "very many empty lists": 'if planning: say(b\'{"claim": "plan", "value": {"rules": {}, '
    '"targets": [], "config": [\' + b"[]," * 10**7 + b"0]}}\\n")',
    "very many jobs": 'if running: [say(*[{"claim": "start", "value": {"job": JOB, "number": i}} '
    "for i in range(n, n + 1000)]) for n in range(1000, 300000, 1000)]",
}


@pytest.mark.parametrize("engine", ["docker", "sandbox"])
@pytest.mark.parametrize("attack", FATAL)
def test_a_job_that_ends_the_driver_says_nothing_in_its_name(
    make_repository: Make, confirm: Confirm, engine: str, attack: str
) -> None:
    require_engine(engine)
    script = IMPORTS + BY_JOB[attack]
    result, report = confirm(
        make_repository(files={"Snakefile": RULES, "job.py": script, **PROFILES}),
        "--engine",
        engine,
    )
    assert result.code in (1, 3, 4), result.out
    if result.code == 1:
        assert [d["path"] for d in report["differences"] if d["decides"]] == ["a.txt"]


@pytest.mark.parametrize("engine", ["docker", "sandbox"])
def test_a_job_says_nothing_in_the_drivers_name(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    """One job after another; every one of them has said what it can, and is seen to differ."""
    require_engine(engine)
    attacks = [name for name in BY_JOB if name not in FATAL]
    rules = "".join(
        ONE_OF_MANY.format(place=place, before=f'"{place - 1}.txt"' if place else "")
        for place in range(len(attacks))
    )
    files = {"Snakefile": f'rule all:\n    input: "{len(attacks) - 1}.txt"\n{rules}', **PROFILES}
    files |= {f"job{place}.py": IMPORTS + BY_JOB[name] for place, name in enumerate(attacks)}
    result, report = confirm(make_repository(files=files), "--engine", engine)
    assert result.code == 1, result.out
    decide = {d["path"] for d in report["differences"] if d["decides"]}
    assert {f"{place}.txt" for place in range(len(attacks))} <= decide


@pytest.mark.parametrize("attack", BY_CODE)
def test_code_of_a_snakefile_says_nothing_of_other_steps(
    make_repository: Make, confirm: Confirm, attack: str
) -> None:
    require_engine("sandbox")
    files = {"Snakefile": f"{PIPES}\n{BY_CODE[attack]}\n{RULES}", "job.py": "", **PROFILES}
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert result.code in (1, 3, 4), result.out
    assert "This is a bug" not in result.err
    assert report["verdict"] != "HELD"


@pytest.mark.parametrize(
    "attack", ["more than fits", "very many empty lists", "very many jobs", "a line without end"]
)
def test_the_main_process_stays_small_whatever_a_room_says(
    make_repository: Make, tmp_path: Path, attack: str
) -> None:
    require_engine("sandbox")
    repo = make_repository(
        files={"Snakefile": f"{PIPES}\n{BY_CODE[attack]}\n{RULES}", "job.py": "", **PROFILES}
    )
    where = ("--cache", tmp_path / "own", "--out", tmp_path / "report")
    code, memory, text = peak(
        tmp_path, "confirm", repo, "HEAD", "-q", "--engine", "sandbox", *where
    )
    assert code in (1, 4), text
    assert memory < MOST


def line(speaker: str, claim: str, value: Any) -> bytes:
    return speaker.encode() + json.dumps({"claim": claim, "value": value}).encode() + b"\n"


STEP = line("!", "step", {"name": "plan", "state": "start"})


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"x\n",
        b"!\n",
        b"!{}\n",
        b":{}\n",
        b'!{"claim": "job", "value": {}}\n',
        line(":", "job", {"rule": "r"}),
        STEP + STEP,
        STEP + line(":", "done", {}),
        STEP + line(":", "step", {"name": "plan", "state": "ok"}),
        STEP + line("?", "job", {}),
        STEP + line("!", "step", {"name": "run", "state": "ok"}),
        STEP + line("!", "step", {"name": "plan", "state": "ok"}),
        STEP + line("!", "step", {"name": "plan", "state": "well"}),
        line("!", "step", {"name": "nap", "state": "start"}),
        line("!", "versions", {}) + line("!", "versions", {}),
        line("!", "done", {}) + line("!", "done", {}),
        line("!", "tree", {"name": "plan", "created": [], "changed": [], "removed": []}),
        line("!", "places", {"a": "x"}),
        line("!", "versions", {"a": 1})[:-2] + b"\xff\n",
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 10**6])
def test_what_no_driver_says_is_refused(said: bytes, piece: int) -> None:
    reader = ClaimReader()
    with pytest.raises(ClaimError):
        for start in range(0, len(said), piece):
            reader.feed(said[start : start + piece])


def test_claims_are_the_same_in_pieces_of_any_size(tmp_path: Path) -> None:
    said = (
        STEP
        + line(":", "job", {"rule": "r"})
        + line(":", "plan", {"rules": {}, "config": {}, "targets": ["x"]})
    )
    said += line("!", "step", {"name": "plan", "state": "ok"}) + line("!", "done", {"name": ""})
    found = []
    for piece in (1, 3, 1000):
        reader = ClaimReader()
        for start in range(0, len(said), piece):
            reader.feed(said[start : start + piece])
        found.append(reader.claims(tmp_path))
    assert found[0] == found[1] == found[2]
    assert found[0].done
    assert found[0].plan is not None
    assert [job.rule for job in found[0].plan.jobs] == ["r"]


def test_the_memory_of_claims_is_shared_by_the_runs_of_a_confirmation() -> None:
    budget = Budget(10_000)
    first, second = ClaimReader(budget), ClaimReader(budget)
    first.feed(line("!", "versions", {"a": "x" * 6000}))
    with pytest.raises(ClaimError, match="more of themselves"):
        second.feed(line("!", "versions", {"a": "x" * 6000}))


EVIL = """
import gc, os, sys
os.path.exists(__file__) and os.unlink(__file__)
outlet = next(o for o in gc.get_objects() if type(o).__name__ == "Outlet")
original = outlet.say
def say(claim, value, *moment):
    original(claim, value, *moment)
    if claim == "start" and value["number"] == 1:
        open("d.txt", "w").write("1")
        original("end", {"number": 1, "ok": True})
        original("final", {"idle": [], "code": 0, "unstaged": []})
        os._exit(0)
outlet.say = say
raise ImportError
"""
SLOW = """
import time
from snakemake.jobs import Job
register = Job.register
def late(self, *args, **kwargs):
    time.sleep(1)
    return register(self, *args, **kwargs)
Job.register = late
"""
LATER = """
rule all:
    input: "d.txt"
rule zero:
    output: "zero.txt"
    shell: "echo 1 > {output}; PLANT"
rule scr:
    input: "zero.txt"
    output: "d.txt"
    threads: 2
    script: "s.py"
"""
PLANTED = {
    "a module that Snakemake looks for later": "cp evil.txt polars.py",
    "a package": "mkdir polars; cp evil.txt polars/__init__.py",
    "a file of the clone under another name": "mv evil.txt polars.py",
    "a folder of the clone under another name": "mv lib polars",
    "a link to a file of the clone": "ln -s lib/__init__.py polars.py",
    "a link to a folder of the clone": "ln -s lib polars",
    "a folder for later deployments": "mkdir -p .snakemake/pip-deployments; cp evil.txt "
    ".snakemake/pip-deployments/polars.py",
}


@pytest.mark.parametrize(
    ("name", "head"), [*((name, "") for name in PLANTED), (next(iter(PLANTED)), SLOW)]
)
def test_no_job_gets_code_into_the_process_of_snakemake(
    make_repository: Make, confirm: Confirm, name: str, head: str
) -> None:
    """`script:` makes Snakemake look for polars when jobs have run already; the second profile's
    job fails, whatever is planted, and however late Snakemake is to register a job that it started.
    """
    require_engine("sandbox")
    script = (
        "if snakemake.threads > 1:\n    raise ValueError\n"
        "open(snakemake.output[0], 'w').write('1')\n"
    )
    files = {
        "Snakefile": head + LATER.replace("PLANT", PLANTED[name]),
        "s.py": script,
        "evil.txt": EVIL,
        "lib/__init__.py": EVIL,
    }
    result, report = confirm(make_repository(files=files | PROFILES), "--engine", "sandbox")
    assert report["verdict"] == "FAILED", result.out

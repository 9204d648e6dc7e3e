"""The parts of the driver that runs in a room, each by itself."""

import ast
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

from cleanroom.room.inside import (
    effects,
    export,
    guard,
    life,
    protocol,
    runnable,
    stack,
    supervisor,
)
from cleanroom.room.inside.snakemake_api import Typed
from cleanroom.room.setting_keys import room_keys

INSIDE = Path(protocol.__file__).parent


# --- the protocol ---


def test_the_protocol_is_standard_library_and_does_nothing_when_it_is_imported() -> None:
    tree = ast.parse(Path(protocol.__file__).read_text())
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Assign, ast.Expr)
    assert [type(node) for node in tree.body if not isinstance(node, kinds)] == []
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "typing"}


OPTIONS = """
import sys
if sys.argv[1] == "light":
    from cleanroom.room.inside.lighter import put_off_reports
    put_off_reports()
import snakemake.cli
for action in snakemake.cli.get_argument_parser()._actions:
    kind = getattr(action.type, "__name__", action.type)
    print(action.option_strings, action.help, kind, action.nargs)
print("docutils" in sys.modules, file=sys.stderr)
"""


def test_reports_that_are_put_off_keep_every_option() -> None:
    said = {
        how: subprocess.run(
            [sys.executable, "-c", OPTIONS, how], capture_output=True, text=True, check=True
        )
        for how in ("light", "full")
    }
    assert said["light"].stdout == said["full"].stdout
    assert "--report-html-path" in said["light"].stdout
    assert {how: one.stderr.split()[-1] for how, one in said.items()} == {
        "light": "False",
        "full": "True",
    }


RECORDS_OF = """
import json, sys
if sys.argv[1] == "light":
    from cleanroom.room.inside import lighter
    lighter.put_off_numpy()
    lighter.put_off_records()
import snakemake.cli
from snakemake.persistence.file import FilePersistence, MetadataRecord
print("pydantic" in sys.modules, "numpy" in sys.modules, file=sys.stderr)
record = MetadataRecord()
print(json.dumps(dict(record.items())), record.get("rule"), record["incomplete"], list(record.keys()))
print(record.input_checksums is MetadataRecord().input_checksums)
record.params, record.rule, record.starttime = ["'ä'", 1, None, [1.5, {"a": []}]], "one", 3.25
written = json.dumps(dict(record.items()))
print(written, json.dumps(dict(MetadataRecord.model_validate(json.loads(written)).items())))
for found in (
    {}, {"rule": 5}, {"starttime": 5}, {"unknown": 1, "incomplete": True}, {"input": ["a", 1]},
    {"job_hash": 1.5}, {"job_hash": True}, {"input_checksums": None}, {"input_checksums": {}},
    {"params": [[1]], "log": []}, {"record_format_version": None}, {"record_format_version": "6"},
    [], "text", None,
):
    try:
        print(found, json.dumps(dict(MetadataRecord.model_validate(found).items())))
    except Exception as error:
        print(found, type(error).__name__, error)
import yte
text = "__use_yte__: true\\n__definitions__: [import numpy as np]\\na: ?list(np.arange(3)) + [np.str_('x')]\\nb: ?np.arange(2)\\n"
print(yte.process_yaml(text))
"""


def test_records_without_a_model_are_what_they_are_with_it(tmp_path: Path) -> None:
    said = {
        how: subprocess.run(
            [sys.executable, "-c", RECORDS_OF, how], capture_output=True, text=True, check=True
        )
        for how in ("light", "full")
    }
    assert said["light"].stdout == said["full"].stdout
    assert "ValidationError" in said["light"].stdout and "[0, 1" in said["light"].stdout
    assert [said[how].stderr.split() for how in ("light", "full")] == [
        ["False", "False"],
        ["True", "False"],
    ], "and the tested version is the one that is installed"


def test_a_profile_that_wants_a_database_for_its_records_has_it(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(
        "rule one:\n    output: 'a'\n    shell: 'echo 1 > {output}'\n"
    )
    call = (
        "import sys; from cleanroom.room.inside import lighter; lighter.put_off_records()\n"
        "import snakemake.cli; snakemake.cli.main(['-c1', '--persistence-backend', 'db'])"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", call], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    assert "Nothing to be done" in done.stderr
    assert list(tmp_path.glob(".snakemake/*.db")), list(tmp_path.glob(".snakemake/*"))


@pytest.mark.parametrize("file", sorted(INSIDE.glob("*.py")), ids=lambda file: file.name)
def test_the_driver_is_of_the_standard_library_and_of_python_3_8(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    of_others = {"snakemake", "snakemake_interface_executor_plugins", "yaml"}
    of_others |= {"snakemake_executor_plugin_slurm", "snakemake_interface_common"}
    of_others |= {"snakemake_interface_report_plugins", "yte"}
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names | of_others, (file.name, name)


def test_every_step_may_say_something_that_is_known() -> None:
    assert set(protocol.STEPS) <= set(protocol.SAID_IN)
    assert all(claim in protocol.SAID_IN[step] for step, claim in protocol.OWED.items())
    assert not protocol.SAID_OF_STEPS & frozenset().union(*protocol.SAID_IN.values())


# --- what leaves the room ---


@pytest.mark.parametrize("raw", ["a", "a b", "é", "a\\b", "\udcff", "\\xff", "a\nb"])
def test_names_of_files_are_reversible(raw: str) -> None:
    said = export.name(raw)
    assert export.raw(said) == raw
    said.encode("utf-8")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ({2, 1}, {"set": [1, 2]}),
        ((1, [b"x"]), [1, ["x"]]),
        ({1: Path("a/b")}, {"1": "a/b"}),
        ("\udcff", "\\xff"),
    ],
)
def test_any_value_is_plain_json(value: Any, said: Any) -> None:
    assert export.plain(value) == said
    json.dumps(export.plain(value), allow_nan=False)


def test_objects_are_said_without_their_addresses() -> None:
    class Thing:
        pass

    assert export.plain(Thing()) == export.plain(Thing())


def test_a_claim_is_one_line(tmp_path: Path) -> None:
    heard, pipe = os.pipe()
    export.Outlet(pipe).say("plan", {"a": "x\ny"})
    os.close(pipe)
    lines = supervisor.Lines(heard)
    (line,) = lines.new()
    assert lines.ended
    assert life.claims_of([line, b"no claim", b"[]"]) == {"plan": [{"a": "x\ny"}]}
    assert not os.get_inheritable(heard)


def test_a_line_without_an_end_is_nobodys() -> None:
    heard, pipe = os.pipe()
    os.write(pipe, b"whole\nhalf")
    os.close(pipe)
    assert supervisor.Lines(heard).new() == [b"whole"]


# --- the tree ---


def test_a_tree_tells_what_was_made_changed_and_taken_away(tmp_path: Path) -> None:
    for name in ("kept", "written", "touched back", "gone", ".git/x", ".snakemake/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    before = supervisor.tree(str(tmp_path))
    (tmp_path / "written").write_text("22")
    info = (tmp_path / "touched back").stat()
    (tmp_path / "touched back").write_text("2")
    os.utime(tmp_path / "touched back", ns=(info.st_atime_ns, info.st_mtime_ns))
    (tmp_path / "gone").unlink()
    (tmp_path / "new").symlink_to("nowhere")
    for name in (".git/x", ".snakemake/x"):
        (tmp_path / name).write_text("another")
    assert supervisor.tree_change(before, supervisor.tree(str(tmp_path))) == {
        "created": ["new"],
        "changed": ["touched back", "written"],
        "removed": ["gone"],
    }


# --- the guard ---


class Late:
    """A finder that finds a module only when it is asked again: a job made it in between."""

    def __init__(self, place: Path) -> None:
        self._place, self._asked = place, 0

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != "planted":
            return None
        self._asked += 1
        if self._asked == 1:
            (self._place / "planted.py").write_text("raise SystemExit('planted')")
            return None
        importlib.invalidate_caches()
        return PathFinder.find_spec(fullname, [str(self._place)])


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a workflow, from which Python imports as it does in a room."""
    before, modules = list(sys.meta_path), set(sys.modules)
    monkeypatch.setattr(guard, "WORK", str(tmp_path))
    monkeypatch.setattr(guard, "WRITABLE", (str(tmp_path),))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own.py").write_text("value = 1\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").write_text("")
    (tmp_path / "package/part.py").write_text("value = 2\n")
    yield tmp_path
    sys.meta_path[:] = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_what_was_there_before_the_first_job_is_imported(clone: Path) -> None:
    guard.Guard().close()
    assert importlib.import_module("own").value == 1
    assert importlib.import_module("package.part").value == 2
    assert importlib.util.find_spec("no_such_module_anywhere") is None
    assert importlib.import_module("wave").__name__ == "wave"


@pytest.mark.parametrize("path", ["planted.py", "planted/__init__.py", "package/planted.py"])
def test_what_a_job_made_is_not(clone: Path, path: str) -> None:
    guard.Guard().close()
    (clone / path).parent.mkdir(exist_ok=True)
    (clone / path).write_text("raise SystemExit('planted')")
    importlib.invalidate_caches()
    module = "package.planted" if path.startswith("package") else "planted"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(module)


def test_a_module_that_appears_while_it_is_looked_for_is_not_imported(clone: Path) -> None:
    sys.meta_path.insert(0, Late(clone))
    guard.Guard().close()
    with pytest.raises(ModuleNotFoundError, match="planted"):
        importlib.import_module("planted")


def test_a_module_that_is_written_after_it_was_found_is_not_read(clone: Path) -> None:
    guard.Guard().close()
    spec = importlib.util.find_spec("own")
    assert spec is not None and spec.loader is not None
    (clone / "own.py").write_text("raise SystemExit('planted')")
    with pytest.raises(ModuleNotFoundError, match="while jobs ran"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


# --- settings and plans ---


@pytest.mark.parametrize(
    ("filename", "ranks"),
    [
        ("config.yaml", (0, 0, 0)),
        ("config.v8+.yaml", (None, 8, 8)),
        ("config.v9+.yaml", (None, None, 9)),
        ("profile.yaml", (None, None, 0)),
        ("config.yml", (None, None, None)),
        ("my-config.yaml", (None, None, None)),
    ],
)
def test_which_file_of_a_profile_each_snakemake_prefers(
    filename: str, ranks: tuple[int | None, ...]
) -> None:
    assert tuple(stack.rank_of(filename, major) for major in (7, 8, 9)) == ranks


def test_values_of_yaml_are_counted_with_their_aliases() -> None:
    assert stack.values_in("a: &x [1, 2, 3]\nb: [*x, *x]\n", 100) >= 9
    bomb = "a: &a [1, 1]\n" + "".join(
        f"{y}: &{y} [*{x}, *{x}, *{x}, *{x}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert stack.values_in(bomb, 1000) == 1000


def plan(*jobs: dict[str, Any], config: Any = None) -> dict[str, Any]:
    blank = {"wildcards": {}, "output": [], "needed": True, "input": [], "params": []}
    blank |= {"command": "", "threads": 1, "resources": {}}
    return {"jobs": [blank | job for job in jobs], "rules": {}, "config": config}


def test_what_a_setting_does_to_a_plan_is_said_once_for_each_rule_and_field() -> None:
    left = plan({"rule": "one", "wildcards": {"x": "1"}}, {"rule": "one", "wildcards": {"x": "2"}})
    right = plan(
        *({"rule": "one", "wildcards": {"x": x}, "threads": 2} for x in "12"), config={"a": 1}
    )
    assert effects.changes(left, right) == [
        {"rule": "", "field": "config", "jobs": 1},
        {"rule": "one", "field": "threads", "jobs": 2},
    ]
    assert effects.loud(effects.changes(left, right))
    assert not effects.loud([{"rule": "one", "field": "threads", "jobs": 2}])
    with_command = [{"rule": "one", "field": field} for field in ("threads", "command")]
    assert not effects.loud(with_command)
    assert effects.loud([{"rule": "one", "field": "command"}])


def test_as_many_cores_as_the_greediest_rule_asks_for() -> None:
    asked = plan({"rule": "one", "threads": 3}) | {"rules": {"later": {"threads": 8}}}
    assert life.requested_cores(asked, 2) == 8
    assert life.requested_cores(plan({"rule": "one", "threads": life.UNCAPPED}), 2) == 2


# --- what a person types, and what a room makes of a profile ---


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        (Typed(), ["--cores", "2", "--dry-run"]),
        (Typed("profiles/ci"), ["--profile", "profiles/ci", "--cores", "2", "--dry-run"]),
        (
            Typed("profiles/ci", ("all",), states_cores=True),
            ["all", "--profile", "profiles/ci", "--dry-run"],
        ),
    ],
)
def test_a_workflow_sees_the_command_line_of_a_person(typed: Typed, seen: list[str]) -> None:
    argv = ["part.txt", "--profile", "/room/out/profile", "--workflow-profile", "none"]
    assert typed.instead_of([*argv, "--cores", "2", "--dry-run"]) == seen


def test_a_folder_with_a_random_name_is_said_by_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "masked", {"/tmp/cache/tmpx1": "(source cache)"})
    assert export.clean("sh /tmp/cache/tmpx1/file/s.sh") == "sh (source cache)/file/s.sh"


class Nine:
    """As much of Snakemake 9 as a profile asks for."""

    version, major = "9.27.1", 9
    options = dict.fromkeys(
        [
            "cores",
            "jobs",
            "executor",
            "notemp",
            "scheduler",
            "default-resources",
            "shadow-prefix",
            "all-temp",
            "max-threads",
            "seconds-between-status-checks",
            "cluster-generic-submit-cmd",
            "latency-wait",
        ]
    )

    def __init__(self, *plugins: str) -> None:
        self.options = {key: key for key in self.options}
        self.plugins = {"local", *plugins}

    def executors(self) -> set[str]:
        return self.plugins

    def apart(self) -> dict[str, str] | None:
        return {"executor": "cluster-generic"} if "cluster-generic" in self.plugins else None


def ran(nodes: str = "remote", snakemake: Any = None, **force: Any) -> tuple[Any, dict[str, Any]]:
    """(the settings in force in a room, what is said of them)."""
    spec: Any = {**room_keys(), "nodes": nodes, "cores": None, "jobs_in_parallel": None, "cpus": 2}
    spec |= {"survey": False, "deployment": "declared", "conda": {}, "images": [], "slurm": False}
    record: dict[str, Any] = {"overrides": [], "replaced": []}
    settings = {key.replace("_", "-"): value for key, value in force.items()}
    lines = dict.fromkeys(settings, ("profiles/ci/config.yaml", 1))
    room: Any = snakemake or Nine("cluster-generic")
    kept = runnable.runnable(spec, room, record, settings, lines)
    return kept, {o["key"]: o["cause"] for o in record["overrides"]}


def test_a_profile_of_a_cluster_is_run_with_each_job_a_process_of_its_own() -> None:
    kept, said = ran(executor="slurm", jobs="50")
    assert (kept["executor"], said["executor"]) == ("cluster-generic", "nodes")
    kept, said = ran(executor="slurm", snakemake=Nine("slurm"))
    assert ("executor" in kept, said["executor"]) == (False, "local")
    kept, said = ran("none", executor="slurm")
    assert ("executor" in kept, said["executor"]) == (False, "local")
    assert "executor" not in ran()[0]
    assert ran("every")[0]["executor"] == "cluster-generic"


def test_an_option_that_only_another_snakemake_has_is_left_out_and_said() -> None:
    kept, said = ran(reason="True", latency_wait="5")
    assert ("reason" in kept, said["reason"], kept["latency-wait"]) == (False, "outdated", "5")
    with pytest.raises(runnable.Unreadable, match="no option 'resaon'"):
        ran(resaon="True")


def test_a_folder_of_another_machine_is_made_where_that_can_be(tmp_path: Path) -> None:
    there = tmp_path / "made" / "here"
    kept, said = ran(default_resources=[f"tmpdir='{there}'"], shadow_prefix=f"{there}/shadow")
    assert kept["default-resources"] == [f"tmpdir='{there}'"]
    assert there.is_dir() and (there / "shadow").is_dir()
    assert not {"shadow-prefix", "default-resources: tmpdir"} & said.keys()
    file = tmp_path / "file"
    file.write_text("in the way")
    kept, said = ran(default_resources=[f"tmpdir='{file}/x'"], shadow_prefix=f"{file}/x")
    assert kept["default-resources"] == []
    assert said["shadow-prefix"] == said["default-resources: tmpdir"] == "elsewhere"


def test_what_a_profile_deletes_is_deleted() -> None:
    assert ran()[0]["notemp"] is True
    assert "notemp" not in ran(all_temp="True")[0]


def test_a_job_begins_by_the_clock_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On busy processors that clock may be behind by much more than its resolution."""
    for number in range(200):
        begin = export.clock_of_files()
        (tmp_path / str(number)).touch()
        assert begin <= (tmp_path / str(number)).stat().st_ctime_ns / 1e9 <= time.time()
    behind = time.time_ns() - 50_000_000
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: behind)
    assert export.clock_of_files() == behind / 1e9

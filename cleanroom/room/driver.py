"""What runs inside a room: settings, lint, plan and run of one Snakemake workflow, each exported as JSON.

Standard library only, for any Python from 3.8 on, beside Snakemake 7, 8 or 9. Snakemake is imported once and every step is
a fork of that process, so that no step pays for the import again and none sees another's state. As process 1 of the room,
it kills whatever a step left behind. It ends when its standard input closes: a room never outlives its host.

Not here: hashing, judging, or anything the host must believe. All that is written here is a claim of the room.

Hooks (present in Snakemake 7.32, 8 and 9): `JobScheduler.__init__` sees the finished plan, `Job.register` each started attempt,
`JobScheduler._finish_jobs` and `_handle_error` its end, `Workflow.lint` the parsed rules.
"""

import hashlib
import itertools
import json
import os
import pathlib
import re
import select
import shutil
import signal
import stat
import sys
import time

IN, OUT, WORK = "/room/in", "/room/out", "/room/work"
UNCAPPED = 1_000_000  # cores while asking what threads the rules request
SKIP = {".git", ".snakemake"}


# --- words: every string that leaves the room is valid Unicode -----------------------------------------------------------


def clean(text):
    """Any string as valid Unicode; bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def name(path):
    """A path, reversibly: a backslash is doubled, bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(str(path)).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def raw(text):
    """The path behind `name`."""
    return os.fsdecode(re.sub(rb"\\(\\|x[0-9a-f]{2})", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), text.encode()))


def place(path):
    """A job's path as the host will find it: relative to the clone; absolute where it lies outside."""
    full = os.path.normpath(os.path.join(os.getcwd(), str(path)))
    return name(full[len(WORK) + 1 :] if full.startswith(WORK + os.sep) else full)


def plain(value, depth=0):
    """Any value of a workflow as JSON; sets in order, objects by type (an address in a repr would differ by itself)."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else repr(value)
    if isinstance(value, (str, bytes)):
        return clean(value if isinstance(value, str) else os.fsdecode(value))
    if depth > 12:
        return {"type": type(value).__name__}
    if isinstance(value, dict):
        return {clean(str(k)): plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((plain(v, depth + 1) for v in value), key=repr)}
    if isinstance(value, (list, tuple)):
        return [plain(v, depth + 1) for v in value]
    if isinstance(value, os.PathLike):
        return clean(os.fspath(value))
    return {"type": type(value).__name__, "text": re.sub(r" at 0x[0-9a-f]+", "", clean(repr(value)))[:2000]}


def attempt(function, default=None):
    """A field that a version of Snakemake does not have is left out, never guessed."""
    try:
        return function()
    except Exception:
        return default


def export(filename, value):
    path = os.path.join(OUT, filename)
    with open(path + ".part", "w") as stream:
        json.dump(value, stream)
    os.replace(path + ".part", path)


class Events:
    """Lines of JSON, appended whole, so that the host can follow while they are written."""

    def __init__(self):
        self.fd = os.open(os.path.join(OUT, "events.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def say(self, event, **fields):
        line = json.dumps(dict(fields, event=event, time=time.time())) + "\n"
        os.write(self.fd, line.encode())


# --- the plan, as Snakemake sees it --------------------------------------------------------------------------------------


def file_refs(files):
    refs = []
    for file in files:
        flags = sorted(k for k, v in (getattr(file, "flags", None) or {}).items() if v not in (None, False))
        refs.append({"path": place(file), "flags": [clean(f) for f in flags]})
    return refs


def params_of(job):
    """[name, value] pairs in order; a positional parameter has no name."""
    positions = {}
    for key, (start, end) in attempt(lambda: list(job.params._get_names()), []):
        positions[start] = (key, end)
    values, pairs, index = list(job.params), [], 0
    while index < len(values):
        key, end = positions.get(index, (None, None))
        if end is not None and end > index:
            pairs.append([clean(key), [plain(v) for v in values[index:end]]])
            index = end
        else:
            pairs.append([key and clean(key), plain(values[index])])
            index += 1
    return pairs


def digest_of_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def resolved(rule, path):
    """The path of a script, notebook or environment file of a rule, or None where it is not a local file."""
    base = getattr(rule, "basedir", None)
    joined = base.join(path).get_path_or_uri if hasattr(base, "join") else None
    if joined is None:
        found = os.path.join(str(base or "."), path)
    else:
        try:
            found = str(joined(secret_free=True))
        except TypeError:
            found = str(joined())
    return found if os.path.isfile(found) else None


def rule_record(rule):
    """What a rule does and in which software: the same for every job of it."""
    code = {}
    for attribute in ("shellcmd", "script", "notebook", "wrapper", "template_engine", "cwl", "run_func_src"):
        value = getattr(rule, attribute, None)
        if isinstance(value, str) and value:
            code[attribute] = clean(value)
    if getattr(rule, "is_run", False) and "run_func_src" not in code:
        body = attempt(lambda: rule.run_func.__code__)
        if body is not None:
            constants = [c for c in body.co_consts if not hasattr(c, "co_code")]
            code["run_sha256"] = hashlib.sha256(body.co_code + repr((constants, body.co_names)).encode()).hexdigest()
    for attribute in ("script", "notebook"):
        value = getattr(rule, attribute, None)
        found = attempt(lambda value=value: resolved(rule, value)) if isinstance(value, str) else None
        if found:
            code[attribute + "_sha256"] = digest_of_file(found)
    software = {}
    env = getattr(rule, "conda_env", None)
    if env is not None:
        software["conda"] = clean(str(getattr(env, "file", env))) if not callable(env) else "decided per job"
        found = attempt(lambda: resolved(rule, str(getattr(env, "file", env))))
        if found:
            software["conda_sha256"] = digest_of_file(found)
    container = getattr(rule, "container_img", None)
    if container:
        software["container"] = plain(container) if not callable(container) else "decided per job"
    modules = attempt(lambda: list(rule.env_modules.names))
    if modules:
        software["modules"] = plain(modules)
    return {
        "code": code,
        "software": software,
        "checkpoint": bool(getattr(rule, "is_checkpoint", False)),
        "shadow": plain(getattr(rule, "shadow_depth", None)),
        "retries": plain(getattr(rule, "restart_times", None)),
        "threads": attempt(lambda: int(rule.resources["_cores"])) or 0,
    }


def job_record(job, dag):
    return {
        "rule": clean(job.rule.name),
        "wildcards": {clean(k): clean(str(v)) for k, v in dict(job.wildcards_dict).items()},
        "input": file_refs(job.input),
        "output": file_refs(job.output),
        "log": [place(f) for f in job.log],
        "benchmark": place(job.benchmark) if job.benchmark else "",
        "params": attempt(lambda: params_of(job), []),
        "command": clean(attempt(lambda: job.shellcmd) or ""),
        "threads": attempt(lambda: int(job.threads), 0),
        "resources": attempt(
            lambda: {clean(k): plain(v) for k, v in dict(job.resources.items()).items() if k not in ("_cores", "_nodes")}, {}
        ),
        "group": clean(str(getattr(job, "group", None) or "")),
        "needed": bool(attempt(lambda: dag.needrun(job), True)),
        "target": bool(attempt(lambda: job in set(dag.targetjobs), False)),
    }


def jobs_of(dag):
    """Every job of the graph, group jobs opened (Snakemake 7 lists groups, 8 and 9 their members)."""
    for job in dag.jobs:
        if job.is_group():
            for member in job.jobs:
                yield member
        else:
            yield job


def graph_of(workflow):
    dag = getattr(workflow, "dag", None)
    return dag if dag is not None else workflow.persistence.dag


def plan_record(workflow):
    dag = graph_of(workflow)
    jobs = [job_record(job, dag) for job in jobs_of(dag)]
    jobs.sort(key=lambda j: (j["rule"], sorted(j["wildcards"].items()), [f["path"] for f in j["output"]]))
    targets = {file["path"] for job in jobs if job["target"] for file in job["input"] + job["output"]}
    return {
        "jobs": jobs,
        "rules": {clean(rule.name): rule_record(rule) for rule in workflow.rules},
        "config": plain(dict(workflow.globals.get("config") or {})),
        "targets": sorted(targets),
    }


# --- Snakemake, entered in-process ---------------------------------------------------------------------------------------


class Snakemake:
    """The room's own Snakemake, imported once."""

    def __init__(self):
        import snakemake

        self.version = snakemake.__version__
        self.major = int(re.match(r"\d+", self.version).group())
        try:
            import snakemake.cli as cli  # first: `snakemake.workflow` alone is a circular import on 8 and 9
        except ImportError:
            cli = snakemake
        self.cli = cli
        import snakemake.jobs
        import snakemake.workflow

        try:
            from snakemake.scheduling.job_scheduler import JobScheduler
        except ImportError:
            from snakemake.scheduler import JobScheduler
        self.scheduler = JobScheduler
        self.job = snakemake.jobs.Job
        self.workflow = snakemake.workflow.Workflow
        self.options = self._options()

    def _options(self):
        """{key as a profile may write it: the option's canonical key} of this Snakemake's own parser."""
        options = {}
        for action in self.cli.get_argument_parser()._actions:
            long = [s[2:] for s in action.option_strings if s.startswith("--")]
            for key in long:
                options[key] = long[0]
        return options

    def profile_file(self, profile):
        if hasattr(self.cli, "get_profile_dir"):
            found = self.cli.get_profile_dir(profile)
            return found and str(found[1])
        return self.cli.get_profile_file(profile, "config.yaml")

    def executors(self):
        if self.major < 8:
            return None
        from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

        return set(ExecutorPluginRegistry().plugins)

    def main(self, argv):
        """Snakemake's own exit code. A Snakefile sees the arguments that it would see from the command line."""
        sys.argv[:] = ["snakemake"] + argv
        try:
            self.cli.main(argv)
        except SystemExit as end:
            if end.code is None:
                return 0
            return end.code if isinstance(end.code, int) else 1
        return 0


# --- settings: the stack as this Snakemake reads it, and the same stack made runnable here --------------------------------


class Unreadable(Exception):  # noqa: N818 - it tells of a profile, not of a fault of ours
    def __init__(self, file, line, text):
        super().__init__(text)
        self.record = {"file": name(file), "line": line, "text": clean(text)}


def stack_of(spec, snakemake):
    """The profile files of a run, weakest first: the asked-for profile, then the workflow's default one."""
    profiles = [raw(spec["profile"])] if spec["profile"] else []
    snakefile = spec["snakefile"] or next((p for p in spec["snakefile_choices"] if os.path.exists(p)), "")
    for default in ("profiles/default", os.path.join(os.path.dirname(snakefile), "profiles/default")):
        if os.path.exists(default):
            if os.path.realpath(default) not in [os.path.realpath(p) for p in profiles]:
                profiles.append(default)
            break
    files = []
    for profile in profiles:
        file = snakemake.profile_file(profile)
        if file is None:
            names = "config.yaml" if snakemake.major < 8 else "config.yaml, config.vN+.yaml"
            text = "no profile file that Snakemake %s reads (%s)" % (snakemake.version, names)
            raise Unreadable(profile, 0, text)
        files.append(os.path.normpath(file))
    return files


class TolerantPath(type(pathlib.Path())):  # type: ignore[misc]
    """A path whose name may be longer than a file system allows: then there is no such file."""

    def exists(self, **options):
        try:
            return super().exists(**options)
        except OSError:
            return False


def read_profile(file):
    """({key: value as Snakemake's parser yields it}, [keys of maps that its parser drops in silence])."""
    import yaml
    from snakemake.profiles import ProfileConfigFileParser

    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(file, 0, str(error)) from None
    if not text.strip() or all(line.lstrip().startswith("#") or not line.strip() for line in text.splitlines()):
        return {}, []
    try:
        with open(file) as stream:
            try:
                settings = dict(ProfileConfigFileParser().parse(stream))
            except OSError:
                # Snakemake 8 and 9 look for every value as a file beside the profile, and stumble over a long one.
                import snakemake.profiles

                snakemake.profiles.Path = TolerantPath
                stream.seek(0)
                settings = dict(ProfileConfigFileParser().parse(stream))
    except Exception as error:
        try:
            yaml.safe_load(text)
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            raise Unreadable(file, mark.line + 1 if mark else 0, "broken YAML: %s" % (fault.problem or fault)) from None
        except yaml.YAMLError as fault:
            raise Unreadable(file, 0, "broken YAML: %s" % fault) from None
        raise Unreadable(file, 0, str(error)) from None
    written = attempt(lambda: yaml.safe_load(text), None)
    lost = [k for k, v in written.items() if isinstance(v, dict) and k not in settings] if isinstance(written, dict) else []
    return settings, [clean(str(k)) for k in lost if not str(k).startswith("__")]


def line_of(file, key):
    with open(file) as stream:
        for number, line in enumerate(stream, 1):
            if re.match(r"[\"']?%s[\"']?\s*:" % re.escape(key), line):
                return number
    return 0


def truthy(value):
    return value not in (None, [], "", "False", "false", "0", "no", "off")


def settings_step(spec, snakemake):
    """Write settings.json and the runnable profile."""
    record = {"stack": [], "settings": [], "overrides": [], "replaced": [], "lost": [], "actions": [], "error": None}
    try:
        runnable = _resolve(spec, snakemake, record)
    except Unreadable as error:
        record["error"] = error.record
        export("settings.json", record)
        return 1
    folder = os.path.join(OUT, "profile")
    os.makedirs(folder, exist_ok=True)
    filename = "config.yaml" if snakemake.major < 8 else "config.v8+.yaml"
    with open(os.path.join(folder, filename), "w") as stream:
        json.dump(runnable, stream, indent=1)
    export("settings.json", record)
    return 0


def _resolve(spec, snakemake, record):
    force, lines, chain = {}, {}, {}
    for file in stack_of(spec, snakemake):
        record["stack"].append({"file": name(file), "sha256": digest_of_file(file)})
        settings, lost = read_profile(file)
        record["lost"] += [{"key": key, "file": name(file), "line": line_of(file, key)} for key in lost]
        for written, value in settings.items():
            key = snakemake.options.get(written, written)
            if key in force:
                chain.setdefault(key, []).append(lines[key][0])
            force[key], lines[key] = value, (name(file), line_of(file, written))
    for key in sorted(force):
        file, line = lines[key]
        shadows = chain.get(key, [])
        record["settings"].append({"key": clean(key), "value": plain(force[key]), "file": file, "line": line, "shadows": shadows})
    for key in sorted(force):
        if key in spec["action_keys"] and truthy(force[key]):
            record["actions"].append({"key": key, "file": lines[key][0], "line": lines[key][1]})
    return _runnable(spec, snakemake, record, force, lines)


def _runnable(spec, snakemake, record, force, lines):
    """The same settings with executor and cluster keys replaced, and what the confirmation itself adds."""
    executor_key = re.compile(spec["executor_keys"])
    executors = snakemake.executors()
    kept = {}
    remote = force.get("executor", "local") not in ("local",) or any(truthy(force.get(k)) for k in spec["cluster_keys"])
    for key, value in force.items():
        known = key in snakemake.options
        placement = executor_key.fullmatch(key) is not None
        if not known and not placement:
            file, line = lines[key]
            raise Unreadable(file, line, "Snakemake %s has no option '%s'" % (snakemake.version, key))
        why = ""
        if placement and not known:
            why = "Snakemake %s in this room does not know it" % snakemake.version
        elif key == "executor" and executors is not None and value not in executors:
            why = "the executor plugin '%s' is not in this room" % value
        if why:
            file, line = lines[key]
            record["replaced"].append({"key": clean(key), "file": file, "line": line, "text": why})
        if placement or (remote and key in ("cores", "jobs", "local-cores", "shared-fs-usage")):
            record["overrides"].append(_override(key, value, None, "how the room runs jobs: locally"))
        elif key in spec["path_keys"] and os.path.isabs(str(value)) and not os.path.isdir(str(value)):
            record["overrides"].append(_override(key, value, None, "a folder of another machine"))
        elif key == "default-resources":
            kept[key] = _without_foreign_tmpdir(record, value)
        else:
            kept[key] = value
    added = [("notemp", True, "temporary outputs are kept, so that the first difference can be found")]
    added.append(("scheduler", "greedy", "the same jobs in less time"))
    added.append(("max-jobs-per-timespan", "100000/1s", "no waiting between jobs"))
    for key, value, why in added:
        canonical = snakemake.options.get(key)
        if canonical:
            record["overrides"].append(_override(canonical, kept.get(canonical), value, why))
            kept[canonical] = value
    _cores(spec, snakemake, record, force, kept, remote)
    methods = str(force.get("software-deployment-method", "")) + str(force.get("deployment-method", ""))
    record["needs"] = [
        tool
        for tool, wanted in (
            ("conda", "conda" in methods or truthy(force.get("use-conda"))),
            (
                "apptainer",
                any(t in methods for t in ("apptainer", "singularity"))
                or truthy(force.get("use-singularity"))
                or truthy(force.get("use-apptainer")),
            ),
        )
        if wanted and not shutil.which(tool) and not (tool == "apptainer" and shutil.which("singularity"))
    ]
    return kept


def _cores(spec, snakemake, record, force, kept, remote):
    """Cores stay what the stack says; where it says nothing, no rule's threads are cut. At most `jobs` jobs at once."""
    stated = None if remote else kept.pop("cores", None)
    if stated is None and not remote and "jobs" in kept and snakemake.major >= 7:
        stated = kept.pop("jobs")  # Snakemake: without cores, a local `jobs` means cores
    floor = spec["cores"] or 1
    if stated is not None and re.fullmatch(r"\d+", str(stated)) and int(stated) < floor:
        record["overrides"].append(_override("cores", stated, floor, "the minimum that was asked for"))
        stated = floor
    record["cores"] = str(stated) if stated is not None else ""
    limit = spec["jobs_in_parallel"]
    if remote:
        wanted = str(force.get("jobs", ""))
        limit = min(limit or spec["cpus"], int(wanted) if wanted.isdigit() else sys.maxsize)
    if limit and snakemake.major >= 8:
        record["overrides"].append(_override("jobs", kept.get("jobs", force.get("jobs")), limit, "jobs at once in this room"))
        kept["jobs"] = str(limit)


def _override(key, was, now, why):
    return {"key": clean(key), "was": plain(was), "now": plain(now), "why": why}


def _without_foreign_tmpdir(record, value):
    if not isinstance(value, list):
        return value
    kept = []
    for item in value:
        match = re.match(r"tmpdir=[\"']*(/[^\"']*)", str(item))
        if match and not os.path.isdir(match.group(1)):
            record["overrides"].append(_override("default-resources: tmpdir", match.group(1), None, "a folder of another machine"))
        else:
            kept.append(item)
    return kept


def arguments(spec, cores):
    """The command line of every step; targets first, because Snakemake appends a profile's settings to what it was given."""
    argv = list(spec["targets"])
    argv += ["--profile", os.path.join(OUT, "profile"), "--workflow-profile", "none", "--cores", str(cores)]
    if spec["snakefile"]:
        argv += ["--snakefile", spec["snakefile"]]
    if spec["directory"]:
        argv += ["--directory", spec["directory"]]
    if spec["configfiles"]:
        argv += ["--configfile"] + spec["configfiles"]
    return argv


# --- the steps -----------------------------------------------------------------------------------------------------------


def place_of(named):
    """A Snakefile relative to the clone, or a rule's name."""
    text = str(getattr(named, "path", named))
    return name(text[len(WORK) + 1 :] if text.startswith(WORK + os.sep) else text)


def lint_step(spec, snakemake, cores):
    def lint(workflow, json=False):
        from snakemake.linting.rules import RuleLinter
        from snakemake.linting.snakefiles import SnakefileLinter

        included = workflow.included() if callable(workflow.included) else workflow.included
        found = []
        for kind, result in (
            ("snakefile", SnakefileLinter(workflow, list(included)).lint(json=True)[0]),
            ("rule", RuleLinter(workflow, list(workflow.rules)).lint(json=True)[0]),
        ):
            for item in result or []:
                about = item.get("for") or {}
                place = about.get(kind, "") if isinstance(about, dict) else about
                for fault in item.get("lints", []):
                    fault = fault if isinstance(fault, dict) else vars(fault)
                    text = " ".join(str(fault.get("title", "")).split())
                    found.append({"place": clean("%s %s" % (kind, place_of(place))), "text": clean(text)})
        export("lint.json", found)
        return bool(found)

    snakemake.workflow.lint = lint
    code = snakemake.main(arguments(spec, cores) + ["--lint"])
    return 0 if os.path.exists(os.path.join(OUT, "lint.json")) else code or 1


def plan_step(spec, snakemake, cores, filename="plan.json"):
    original = snakemake.scheduler.__init__

    def init(self, workflow, *args, **kwargs):
        export(filename, plan_record(workflow))
        return original(self, workflow, *args, **kwargs)

    snakemake.scheduler.__init__ = init
    return snakemake.main(arguments(spec, cores) + ["--dry-run"])


def run_step(spec, snakemake, cores, events):
    """Every started attempt and its end go out as events; at the end, the jobs of the final graph that did not run."""
    started, seen, workflows, numbers = {}, set(), [], itertools.count()
    scheduler, job_class = snakemake.scheduler, snakemake.job
    init, register = scheduler.__init__, job_class.register
    finish, fail = scheduler._finish_jobs, scheduler._handle_error

    def key(job):
        return (job.rule.name, tuple(sorted(dict(job.wildcards_dict).items())), tuple(str(f) for f in job.output))

    def on_init(self, workflow, *args, **kwargs):
        workflows.append(workflow)
        jobs = list(jobs_of(graph_of(workflow)))
        dag = graph_of(workflow)
        events.say("planned", jobs=sum(1 for job in jobs if attempt(lambda job=job: dag.needrun(job), True)))
        return init(self, workflow, *args, **kwargs)

    def on_register(self, *args, **kwargs):
        try:
            number = started[key(self)] = next(numbers)
            record = job_record(self, self.dag)
            rule = {} if self.rule.name in seen else {"rule": rule_record(self.rule)}
            seen.add(self.rule.name)
            events.say("start", job=record, attempt=int(getattr(self, "attempt", 1) or 1), number=number, **rule)
        except Exception as error:  # a job that cannot be described is itself a fact
            events.say("undescribed", rule=clean(self.rule.name), text=clean(repr(error)))
        return register(self, *args, **kwargs)

    def ended(job, ok):
        for member in job.jobs if job.is_group() else [job]:
            if key(member) in started:
                events.say("end", number=started[key(member)], ok=ok)

    def on_finish(self):
        jobs = list(self._tofinish)
        finish(self)
        for job in jobs:
            ended(job, True)

    def on_error(self, job, *args, **kwargs):
        ended(job, False)
        return fail(self, job, *args, **kwargs)

    scheduler.__init__, job_class.register = on_init, on_register
    scheduler._finish_jobs, scheduler._handle_error = on_finish, on_error
    code = snakemake.main(arguments(spec, cores))
    final = []
    if workflows:
        dag = graph_of(workflows[-1])
        for job in jobs_of(dag):
            if key(job) not in started:
                final.append(job_record(job, dag))
    export("final.json", {"idle": final, "code": code})
    return code


# --- the tree, before and after a step ------------------------------------------------------------------------------------


def tree(root):
    """{path: signature} of everything but git's and Snakemake's own folders."""
    found, folders = {}, [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name in SKIP:
                    continue
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    folders.append(entry.path)
                else:
                    found[os.path.relpath(entry.path, root)] = (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino)
    return found


def tree_change(before, after):
    return {
        "created": sorted(name(p) for p in after if p not in before),
        "changed": sorted(name(p) for p in after if p in before and before[p] != after[p]),
        "removed": sorted(name(p) for p in before if p not in after),
    }


# --- process 1 -----------------------------------------------------------------------------------------------------------


class HostGone(Exception):  # noqa: N818
    """The host closed our standard input, or asked us to end."""


class Warden:
    """Forks one step at a time, holds it to its time limit, and leaves no process behind."""

    def __init__(self, spec, events):
        self.spec, self.events = spec, events
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_):
        raise HostGone

    def step(self, step, function):
        """(status, exit code, seconds): status is 'ok', 'failed' or 'timeout'."""
        self.events.say("step", name=step, state="start")
        begin = time.monotonic()
        child = os.fork()
        if child == 0:
            self._child(step, function)
        try:
            status, code = self._wait(child, begin + self.spec["limits"][step])
        except HostGone:
            self._sweep(child)
            raise
        self._sweep(child)
        seconds = time.monotonic() - begin
        self.events.say("step", name=step, state=status, code=code, seconds=seconds)
        return status, code, seconds

    def _child(self, step, function):
        code = 70
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(os.path.join(OUT, step + ".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = function()
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code if isinstance(code, int) and 0 <= code <= 255 else 1)

    def _wait(self, child, deadline):
        grace = None
        while True:
            code = self._reap(child)
            if code is not None:
                return ("timeout" if grace is not None else "ok" if code == 0 else "failed"), code
            now = time.monotonic()
            if grace is None and now >= deadline:
                grace = now + self.spec["limits"]["grace"]
                self._signal(child, signal.SIGTERM)
            elif grace is not None and now >= grace:
                self._signal(child, signal.SIGKILL)
                grace = now + 3600
            readable, _, _ = select.select([self.wake, 0], [], [], max(0.05, (grace or deadline) - now))
            if self.wake in readable:
                attempt(lambda: os.read(self.wake, 4096))
            if 0 in readable and not os.read(0, 4096):
                raise HostGone

    def _reap(self, child):
        """The exit code of the step, once it has ended; orphans of the room are reaped on the way."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 70
            if pid == 0:
                return None
            if pid == child:
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    def _signal(self, child, number):
        attempt(lambda: os.killpg(child, number))

    def _sweep(self, child):
        self._signal(child, signal.SIGKILL)
        if os.getpid() == 1:
            attempt(lambda: os.kill(-1, signal.SIGKILL))
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return


def requested_cores(plan, floor):
    """The most threads that any job or rule asks for: with this many cores nothing is cut."""
    asked = [job["threads"] for job in plan["jobs"]] + [rule["threads"] for rule in plan["rules"].values()]
    return max([floor] + [threads for threads in asked if threads < UNCAPPED])


def load(filename, default=None):
    try:
        with open(os.path.join(OUT, filename)) as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return default


def remove_tracked_outputs(plan):
    """Outputs that git delivered are not evidence of a run: away with them, and say which."""
    with open(os.path.join(IN, "tracked"), "rb") as stream:
        tracked = {os.fsdecode(p) for p in stream.read().split(b"\0") if p}
    folders = {os.path.dirname(p) for p in tracked}
    for folder in list(folders):
        while folder:
            folder = os.path.dirname(folder)
            folders.add(folder)
    removed = []
    for job in plan["jobs"]:
        for file in job["output"]:
            if set(file["flags"]) & {"update", "before_update", "storage_object", "pipe", "service"}:
                continue
            path = raw(file["path"])
            full = os.path.join(WORK, path)
            if path in tracked and os.path.lexists(full):
                os.unlink(full)
                removed.append(name(path))
            elif path in folders and os.path.isdir(full) and "directory" in file["flags"]:
                removed += sorted(name(p) for p in tracked if p.startswith(path + os.sep))
                shutil.rmtree(full)
    return sorted(set(removed))


def find_interpreter():
    """Run again under the Python that has Snakemake, where this one has none."""
    try:
        import snakemake  # noqa: F401

        return
    except ImportError:
        pass
    script = shutil.which("snakemake")
    if script and not os.environ.pop("CLEANROOM_SECOND", None):
        with open(script, "rb") as stream:
            first = stream.readline().decode("utf-8", "replace").strip()
        if first.startswith("#!") and "python" in first:
            os.environ["CLEANROOM_SECOND"] = "1"
            command = first[2:].split()
            os.execvp(command[0], command + [os.path.abspath(__file__)])
    export("versions.json", {"error": "no Snakemake in this room (python: %s)" % sys.executable})
    sys.exit(3)


def inhabit(spec, snakemake, events):
    """All steps in order; what a step needs and does not have stops the ones after it."""
    os.chdir(os.path.join(WORK, spec["folder"]))
    os.environ["PWD"] = os.getcwd()
    warden, steps = Warden(spec, events), {}
    before = tree(WORK)

    def step(label, function, watched=True):
        nonlocal before
        status, code, seconds = warden.step(label, function)
        steps[label] = {"status": status, "code": code, "seconds": seconds}
        if watched:
            after = tree(WORK)
            steps[label].update(tree_change(before, after))
            before = after
        export("steps.json", steps)
        return status == "ok"

    if not step("settings", lambda: settings_step(spec, snakemake)):
        return
    settings = load("settings.json", {})
    if settings.get("actions"):
        return
    floor = spec["cores"] or 1
    cores = settings["cores"] or UNCAPPED
    if "lint" in spec["steps"]:
        step("lint", lambda: lint_step(spec, snakemake, settings["cores"] or floor))
    if not step("plan", lambda: plan_step(spec, snakemake, cores)):
        return
    plan = load("plan.json")
    if plan is None:
        return
    again = False
    if not settings["cores"]:
        cores, again = requested_cores(plan, floor), True
        settings["overrides"].append(_override("cores", None, cores, "the stack states none; no rule's threads are cut"))
        export("settings.json", settings)
    removed = remove_tracked_outputs(plan)
    if removed:
        export("tracked.json", removed)
        before = tree(WORK)
    if again or removed:
        first = steps["plan"]
        if not step("plan", lambda: plan_step(spec, snakemake, cores)):
            return
        for change in ("created", "changed", "removed"):
            steps["plan"][change] = sorted(set(first[change]) | set(steps["plan"][change]))
        steps["plan"]["seconds"] += first["seconds"]
        export("steps.json", steps)
    if "run" in spec["steps"]:
        step("run", lambda: run_step(spec, snakemake, cores, events), watched=False)


def limit_reached():
    """The limit that this room ran into, as its control group (version 1 or 2) counts: `memory`, `processes` or nothing."""
    for limit, path, counter in (
        ("memory", "/sys/fs/cgroup/memory.events", "oom_kill"),
        ("memory", "/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
        ("processes", "/sys/fs/cgroup/pids.events", "max"),
        ("processes", "/sys/fs/cgroup/pids/pids.events", "max"),
    ):
        try:
            with open(path) as stream:
                found = re.search(r"^%s (\d+)$" % counter, stream.read(), re.M)
        except OSError:
            continue
        if found and int(found.group(1)):
            return limit
    return ""


def main():
    os.umask(0o022)
    sys.path[:] = [folder for folder in sys.path if folder != IN]
    find_interpreter()
    with open(os.path.join(IN, "spec.json")) as stream:
        spec = json.load(stream)
    events = Events()
    try:
        snakemake = Snakemake()
        python = ".".join(map(str, sys.version_info[:3]))
        export("versions.json", {"snakemake": snakemake.version, "python": python, "options": len(snakemake.options)})
        inhabit(spec, snakemake, events)
    except HostGone:
        sys.exit(4)
    events.say("done", name=limit_reached())


if __name__ == "__main__":
    main()

"""What rule code reads: threads, resources, attempts, and context that no profile shows.
Text and signatures only; nothing is called.

Not here: whether that matters.
"""

from __future__ import annotations

import dis
import inspect
import os
import re
from typing import Any, Callable, Iterable

from .protocol import Record

_MOST = 1 << 20  # bytes of a file that are looked at
_SCRIPT = re.compile(r"snakemake(?:\W{1,3}|_)(threads\b|resources(?:\W{1,4}(\w+))?)")
_WHOLE = re.compile(r"(?:[(,=]|\breturn)\s*snakemake\s*(?:[,)]|$)", re.M)
_METHODS = frozenset({"copy", "get", "items", "keys", "pop", "values"})
_COMMAND = re.compile(r"(?<!\{)\{\s*(threads\b|resources(?:\.(\w+)|\[['\"]?(\w+))?)")
_CAUSED = (
    # variables that Snakemake, or an executor, sets from a setting
    (
        "threads",
        re.compile(
            r"(?:OMP|GOTO|OPENBLAS|MKL|NUMEXPR)_NUM_THREADS|VECLIB_MAXIMUM_THREADS|(?<![\w-])nproc\b"
        ),
    ),
    ("resources.tmpdir", re.compile(r"(?:\$\{*|[\"'])(?:TMPDIR|TEMPDIR|TEMP|TMP)\b")),
    ("resources", re.compile(r"_JAVA_OPTIONS|JAVA_TOOL_OPTIONS")),
    ("executor", re.compile(r"(?:\$\{*|[\"'])(?:SLURM|PBS|LSB|SGE)_\w+")),
)
_ASKED = ("threads", "resources", "attempt", "input")

_HIDDEN = (
    (
        "environment",
        re.compile(
            r"os\.environ|os\.getenv|Sys\.getenv|\$\{?(?:SLURM|PBS|LSB|SGE|JOB)_\w+|\$\{?(?:USER|LOGNAME|HOME)\b"
        ),
    ),
    (
        "host",
        re.compile(
            r"gethostname|platform\.node\(|os\.uname\(|Sys\.info\(|\$\{?HOSTNAME\b|\$\(hostname\b|`hostname\b"
        ),
    ),
    (
        "path",
        re.compile(
            r"(?<![\w./}$~:-])/(?:home|Users|scratch|data|mnt|gpfs\w*|lustre|nfs|projects?|work|storage|groups?|share|srv)/[\w.][\w./-]*"
        ),
    ),
    ("arguments", re.compile(r"sys\.argv|workflow\.[\w.]*profile|SNAKEMAKE_PROFILE")),
    ("cores", re.compile(r"workflow\.cores|cpu_count\(|sched_getaffinity|detectCores\(|\bnproc\b")),
    (
        "order",
        re.compile(
            r"glob\.i?glob\(|\.r?glob\(|os\.(?:listdir|scandir|walk)\(|\.iterdir\(|glob_wildcards\("
            r"|\$\(ls\b|\bfind [^|]*\|(?! *sort)"
        ),
    ),
    (
        "date",
        re.compile(
            r"datetime\.(?:datetime\.)?(?:now|today|utcnow)\(|date\.today\(|time\.time\(|Sys\.(?:time|Date)\(|\$\(date\b|`date\b"
        ),
    ),
)


def text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MOST)
    except OSError:
        return ""


def named(pattern: re.Pattern[str], text: str) -> set[str]:
    """`threads`, `resources` or `resources.NAME` for each thing that a text reads."""
    found = set()
    for match in pattern.finditer(text):
        names = [group for group in match.groups()[1:] if group and group not in _METHODS]
        word = "".join(re.findall(r"^\w+", match.group(1)))
        found.add("%s.%s" % (word, names[0]) if word == "resources" and names else word)
    return found


def caused(text: str) -> set[str]:
    """What a text reads through variables that Snakemake sets."""
    return {word for word, pattern in _CAUSED if pattern.search(text)}


def script_reads(text: str) -> set[str]:
    """What a script or notebook reads; one that hands `snakemake` on as a whole may read
    anything.
    """
    whole = {"threads", "resources"} if _WHOLE.search(text) else set()
    return named(_SCRIPT, text) | whole | caused(text)


def names_in(code: Any) -> set[str]:
    """What a `run:` block reads, its nested functions and its strings for shell() included."""
    found: set[str] = set()
    cells = {*code.co_cellvars, *code.co_freevars}
    steps: list[Any] = list(dis.get_instructions(code))
    for step, following in zip(steps, steps[1:] + [None]):  # noqa: B905 - older Pythons have no `strict`
        if not re.match("LOAD_(FAST|DEREF|CLASSDEREF|NAME|GLOBAL|FROM_DICT)", step.opname):
            continue
        loaded = (
            step.argval if isinstance(step.argval, tuple) else (step.argval,)
        )  # newer Pythons load two names at once
        for place, word in enumerate(loaded):
            if step.opname.startswith("LOAD_FAST") and word in cells:
                continue  # not read, but handed on to a nested function, as Python 3.13 says it
            last = place == len(loaded) - 1 and following is not None
            taken = (
                following.argval
                if last and following.opname in ("LOAD_ATTR", "LOAD_METHOD")
                else None
            )
            if word == "resources" and taken and taken not in _METHODS:
                found.add("resources.%s" % taken)
            elif word in ("threads", "resources"):
                found.add(word)
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            found |= names_in(constant)
        elif isinstance(constant, str):
            found |= named(_COMMAND, constant) | caused(constant) | caused("'%s'" % constant)
    return found


def asked_by(function: Any) -> set[str]:
    """What a function of a param, an input or a resource asks Snakemake for, by its arguments."""
    try:
        names = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return set()
    return {word for word in _ASKED if word in names}


def reads_of(rule: Any, resolved: Callable[[Any, str], str | None]) -> dict[str, list[str]]:
    """{what: [where it is read]}. `attempt` is also read where a resource that depends on it is."""
    found: dict[str, set[str]] = {}

    def add(words: Iterable[str], where: str) -> None:
        for word in words:
            found.setdefault(word, set()).add(where)

    if isinstance(rule.shellcmd, str):
        add(named(_COMMAND, rule.shellcmd) | caused(rule.shellcmd), "command")
    if getattr(rule, "is_run", False):
        add(names_in(rule.run_func.__code__), "run")
    for attribute in ("script", "notebook"):
        value = getattr(rule, attribute, None)
        path = resolved(rule, value) if isinstance(value, str) else None
        if path:
            add(script_reads(text_of(path)), attribute)
        elif value:
            add(["unread"], attribute)
    for attribute in ("wrapper", "cwl", "template_engine"):
        if getattr(rule, attribute, None):
            add(["unread"], attribute)
    for item in rule.params:
        if callable(item):
            add(asked_by(item) - {"input"}, "params")
    for item in rule.input:
        if callable(item):
            add(asked_by(item) & {"attempt"}, "input")
    for resource, value in dict(rule.resources).items():
        if callable(value) and "attempt" in asked_by(value):
            wanted = "threads" if resource == "_cores" else "resources.%s" % resource
            for where in found.get(wanted, set()) | found.get(wanted.partition(".")[0], set()):
                add(["attempt"], where)
    return {word: sorted(places) for word, places in sorted(found.items())}


def without_comment(line: str) -> str:
    """A line of code up to its comment, as Python, R and shells write them."""
    for match in re.finditer(r"(?:^|\s)#", line):
        before = line[: match.start()]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            return before
    return line


_WILDCARDS = re.compile(r"glob_wildcards\(\s*[rf]?[\"']([^\"'{]*)\{")


def of_the_commit(code: str, tracked: frozenset[str]) -> bool:
    """Whether all that a line lists are files that git delivered, which are the same in every
    clone.
    """
    prefixes = [os.path.normpath(p) if p else "" for p in _WILDCARDS.findall(code)]
    return bool(prefixes) and all(
        prefix and any(path.startswith(prefix) for path in tracked) for prefix in prefixes
    )


def in_sure_order(code: str, start: int, tracked: frozenset[str]) -> bool:
    """Whether what is listed from `start` on is sorted, or the same in every clone."""
    return "sorted(" in code[:start] or of_the_commit(code, tracked)


def hidden_in(path: str, tracked: frozenset[str] = frozenset()) -> list[Record]:
    """[{kind, line, text}] of what the code in a file reads of its context."""
    found: list[Record] = []
    if os.path.splitext(path)[1] in (".ipynb",):
        return found
    for number, line in enumerate(text_of(path).splitlines(), 1):
        code = without_comment(line)
        for kind, pattern in _HIDDEN:
            match = pattern.search(code)
            if not match or (kind == "order" and in_sure_order(code, match.start(), tracked)):
                continue
            found.append({"kind": kind, "line": number, "text": line.strip()[:160]})
    return found

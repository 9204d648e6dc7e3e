"""What Snakemake and the tools that it calls print of a failure: the error itself, the rule, and
what was missing that no workflow brings along. Pure.

These texts are other people's: the words of Snakemake 7, 8 and 9, of shells, Python and R. Nothing
here is read from our own.
"""

import re
from typing import NamedTuple

_MOST_LINES = 3

_OF_SNAKEMAKE = re.compile(
    r"Using profile |Assuming unrestricted|SNAKEMAKE$|=+$|-+(\s+-+)*$|Building DAG|Using shell|"
    r"Provided |Rules claiming|Job stats|job\s+count|total\s+\d|Select jobs|Execute \d|\[\w{3} "
    r"\w{3} |(local)?(rule|checkpoint) \S+:$|Finished jobid|Finished job |\d+ of \d+ steps|"
    r"Shutting down|Exiting because|Complete log|Elapsed time|WorkflowError:$|At least one job|"
    r"RuleException:$|Removing output|Will exit|Error in rule|Trying to restart|Touching |Logfile |"
    r"Traceback \(most|Full Traceback|This was a dry-run|Reasons:|Resources before|Conda |Config "
    r"file |host: |Failed to|    |  File |  \w[\w ()]*: |\S+\s+\d+$|Command '|CalledProcessError|"
    r"Cloning |\s*(Workflow)?Error:$|\s*\^|\s*~|\s*cmdline: |'$"
)
"""Lines that Snakemake prints around an error, and frames of a traceback."""
_ERROR = re.compile(
    r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Failure|NotFound)(?::.*|$)|"
    r".*(?:command not found|: not found|: No such file or directory|error:|Error:|Error in |"
    r"fatal: ).*"
)
_FORMATTED = re.compile(
    r"(?P<kind>[A-Za-z_][\w.]*) in (?:(?:rule|checkpoint) \S+ in )?"
    r"(?:file \"?(?P<file>.+?)\"?,? \(?line (?P<line>\d+)\)?|line (?P<at>\d+) of (?P<of>.+?)):?$"
)
"""How Snakemake prints an exception, whose text comes in the lines after it."""
_END = re.compile(r"  File |\[\w{3} \w{3} |Exiting|WorkflowError:|Wildcards:|Traceback:")
_RULE = re.compile(r"(?:Error in|in|for) (?:rule|checkpoint) (\w+)")
_CODE = re.compile(r"non-zero exit status (\d+)")


class Lacking(NamedTuple):
    """What a workflow wanted that is no part of it, and what would provide it, as sentences."""

    what: str
    provide: str
    in_the_commit: bool = False
    """Whether it is a file that a commit could hold."""


_IMAGE = "Give an image that has it, with --image."
_OF_SYSTEM = (
    "Name its package of Debian under `environment: apt:` in cleanroom.yaml, as `apt: [{}]` (with "
    "Docker), or install it on this machine (for the sandbox), or give an image that has it, with "
    "--image."
)
_PACKAGE = (
    "Name its package under `environment: packages:` in cleanroom.yaml, or give an image that has "
    "it, with --image."
)
_CONFIGURATION = "Commit it, or name another one with --configfile."
_COMMIT = "Commit it, or let a rule make it."
_NETWORK = "Let the room have a network, with --network host, or bring the data along."
_PROGRAM = "the program '{}', which the room does not have"
_PLUGIN = "the plug-in '{}', which the room does not have"
_LACKS: tuple[tuple[str, str, str], ...] = (
    (
        r"No module named '?([\w.]+)",
        "the Python module '{}', which the room does not have",
        _PACKAGE,
    ),
    (
        r"there is no package called [‘'\"“]?([\w.]+)",
        "the R package '{}', which the room does not have",
        _OF_SYSTEM.replace("{}", "r-cran-{}"),
    ),
    (
        r"(?:^|: )([\w.+/-]+): command not found",
        _PROGRAM,
        _OF_SYSTEM,
    ),
    (
        r"^\S*sh: (?:line )?\d+: ([\w.+/-]+): not found",
        _PROGRAM,
        _OF_SYSTEM,
    ),
    (
        r"env: [‘']?([\w.+-]+)[’']?: No such file",
        _PROGRAM,
        _OF_SYSTEM,
    ),
    (
        r"FileNotFoundError\b[^\n]*\n?[^\n]*No such file or directory: '([\w.+-]+)'"
        r"(?=[\s\S]*subprocess\.py)",
        _PROGRAM,
        _OF_SYSTEM,
    ),
    (
        r"subprocess\.py[\s\S]*No such file or directory: '([\w.+-]+)'",
        _PROGRAM,
        _OF_SYSTEM,
    ),
    (
        r"Failed to (?:store|retrieve)[^\n]*storage[^\n]*\nFileNotFoundError: [^\n]*No such file "
        r"or directory: '([\w.+-]+)'",
        _PROGRAM,
        _OF_SYSTEM,
    ),
    (
        r"Failed to (?:check existence of|retrieve|store|get [\w ]+ of)[^\n]*\n\s*"
        r"(\w*(?:Credentials|Connection|Endpoint|Timeout|Access|Auth|Client)\w*"
        r"(?:Error|Exception))\b",
        "what its storage asks for ({})",
        "Let the room reach it with --network host and --env for what lets one in, or bring the "
        "data along under `inputs:` in cleanroom.yaml.",
    ),
    (
        r"Could not create (conda environment) from",
        "a {} that no plan before the run asked for",
        "Name the environment in the rule itself, without wildcards, so that a plan shows it.",
    ),
    (
        r"NoSlurm: ([^\n]*[^\n.])",
        "a Slurm in its room: {}",
        "Leave out --executor slurm, and `room: slurm` in cleanroom.yaml.",
    ),
    (
        r"[Pp]ackage (snakemake-[\w-]+) is not installed",
        _PLUGIN,
        _PACKAGE,
    ),
    (
        r"argument --(?:executor|default-storage-provider|scheduler|logger)[\w/ -]*: invalid "
        r"choice: '([\w-]+)'",
        _PLUGIN,
        _PACKAGE,
    ),
    (
        r"No storage provider found for query (\S+?)\.(?:\s|$)",
        "a storage plug-in for {}, which the room does not have",
        _PACKAGE,
    ),
    (
        r"environment variables are requested by the workflow but undefined[^\n]*\n\s*(\w+)",
        "the environment variable '{}', which no room has",
        "Pass it with --env, or give every room a value in cleanroom.yaml, under `environment: "
        "variables:`.",
    ),
    (
        r"Expecting Snakemake version ([\w.]+) or higher",
        "Snakemake {} or newer",
        "Name its version under `environment: snakemake:` in cleanroom.yaml, or give an image that "
        "has it, with --image.",
    ),
    (
        r"Workflow defines configfile (\S+) but it is not present",
        "the file '{}', which the commit does not have",
        _CONFIGURATION,
    ),
    (
        r"MissingInputException[\s\S]*?affected files:\s+(\S+)",
        "the file '{}', which the commit does not have and no rule makes",
        _COMMIT,
    ),
    (
        r"MissingInputException[^\n]*\n(?:Missing input files[^\n]*\n)?(?:\s+output:[^\n]*\n)?"
        r"(?:\s+wildcards:[^\n]*\n)?(?:\s*affected files:\n)?\s*(\S+)",
        "the file '{}', which the commit does not have and no rule makes",
        _COMMIT,
    ),
    (
        r"(?:Could not resolve host:|Failed to resolve|unable to resolve host address|Could not "
        r"resolve hostname) ['‘“]?([\w.-]+)",
        "a network, to reach {}",
        _NETWORK,
    ),
    (
        r"(Temporary failure in name resolution|Name or service not known|nodename nor servname)",
        "a network ({})",
        _NETWORK,
    ),
)
_OF_FILES = ("MissingInputException", "Workflow defines")
_NEWER = (
    # what a line of code holds that only a newer Python reads, and which
    (re.compile(r"SyntaxError.*f-string"), re.compile(r"[fF][\"']"), (3, 12)),
    (
        re.compile(r"SyntaxError"),
        re.compile(r"^\s*(?:type \w+\s*(?:\[.*\]\s*)?=|(?:async )?def \w+\[|class \w+\[)"),
        (3, 12),
    ),
    (re.compile(r"SyntaxError"), re.compile(r"\b[tT][\"'].*\{"), (3, 14)),
    (re.compile(r"SyntaxError"), re.compile(r"^\s*except \w[\w.]*, \w"), (3, 14)),
)
_EXIT_NOT_FOUND = "127"


def error_of(log: str) -> tuple[str, ...]:
    """The error itself, at most three lines: the last exception, what a shell did not find, or the
    last that the failed job said.
    """
    lines = log.splitlines()
    own = [
        line.rstrip()
        for line in lines
        if line.strip() and not _OF_SNAKEMAKE.match(line) and not _FORMATTED.match(line)
    ]
    printed = _formatted(lines)
    errors = [line for line in own if _ERROR.fullmatch(line) and line not in printed]
    if errors:
        return (errors[-1].strip(),)
    if printed:
        return tuple(printed[:_MOST_LINES])
    found = [line.strip() for line in own][-_MOST_LINES:]
    return tuple(found)


def _formatted(lines: list[str]) -> list[str]:
    """The last exception that Snakemake printed in its own form, but for that of a command which
    told its reason itself.
    """
    found: list[str] = []
    for number, line in enumerate(lines):
        match = _FORMATTED.match(line.strip())
        if not match or match["kind"] == "CalledProcessError":
            continue
        text = []
        for after in lines[number + 1 : number + 8]:
            said = after.strip()
            if not said or _END.match(after):
                break
            if said not in ("Error:", "WorkflowError:"):
                text.append(said)
        file, at = match["file"] or match["of"], match["line"] or match["at"]
        place = f"{file.rpartition('/')[2]}, line {at}"
        first, *more = [line.rstrip(":") for line in text] or [""]
        found = [f"{match['kind']}: {first} ({place})" if first else f"{match['kind']} ({place})"]
        found += more
    return found


def rule_of(log: str) -> str:
    """The rule that failed, or nothing where it was none."""
    found = re.findall(r"^Error in rule (\w+):", log, re.MULTILINE) or _RULE.findall(log)
    return str(found[-1]) if found else ""


def lacking(log: str, python: str = "") -> Lacking | None:
    """What was missing that no workflow brings along: software, data that is not in the commit, a
    network, a newer Python than `python`; None where the workflow itself is at fault.
    """
    text = "\n".join(line for line in log.splitlines() if not line.startswith("  Command: "))
    for pattern, what, provide in _LACKS:
        if found := re.search(pattern, text, re.MULTILINE):
            name = found[1]
            provided = provide.replace("{}", name.rpartition("/")[2].lower())
            return Lacking(what.format(name), provided, pattern.startswith(_OF_FILES))
    if (code := _CODE.findall(text)) and code[-1] == _EXIT_NOT_FOUND:
        return Lacking("a program that the room does not have (exit status 127)", _IMAGE)
    have = tuple(int(part) for part in re.findall(r"\d+", python)[:2])
    for error, line, needs in _NEWER:
        if have and have < needs and error.search(text):
            codes = [code for code in text.splitlines() if line.search(code)]
            if codes:
                newer = ".".join(map(str, needs))
                return Lacking(f"Python {newer} or newer, as `{codes[0].strip()[:80]}` is", _IMAGE)
    return None

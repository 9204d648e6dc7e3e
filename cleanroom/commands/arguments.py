"""Every verb and option of the command line.
Not here: what a verb does; and no import that takes time.
"""

import argparse

from cleanroom import __version__
from cleanroom.commands import options
from cleanroom.commands.options import positive


def build_parser() -> argparse.ArgumentParser:
    """Every verb and option."""
    parser = argparse.ArgumentParser(
        prog="cleanroom",
        description="Prove that a Snakemake workflow means the same under every profile.",
    )
    parser.add_argument("--version", action="version", version=f"cleanroom {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    _confirm(verbs)
    _audit(verbs)
    _plan(verbs)
    _review(verbs)
    _explain(verbs)
    _init(verbs)
    _compare(verbs)
    _suggest(verbs)
    _doctor(verbs)
    _image(verbs)
    _env(verbs)
    _history(verbs)
    _ledger(verbs)
    completion = verbs.add_parser("completion", help="print the completion script of a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    options.common(completion)
    return parser


def _confirm(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "confirm",
        help="run a commit under each of its profiles in fresh rooms and say whether its "
        "meaning held",
        description="Clone REPO at REF into fresh rooms, lint, plan and run it under each of its "
        "profiles, compare, and judge.",
        epilog="Exit codes: 0 HELD, 1 DRIFTED, 2 usage or configuration, 3 FAILED, 4 "
        "INCONCLUSIVE, 70 internal error, 130 interrupted.",
    )
    options.repo(parser)
    parser.add_argument("ref", metavar="REF", help="commit, tag or branch")
    options.profiles(parser)
    options.env(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="cleanroom-report",
        help="where the reports go (default: cleanroom-report)",
    )
    parser.add_argument(
        "--repeats",
        metavar="N",
        type=positive,
        help="control runs of the baseline profile (default: one, and only where something "
        "differs)",
    )
    parser.add_argument(
        "--against",
        metavar="X",
        default="",
        help="compare with an earlier run too: the digest of an evidence, the folder of a report "
        "or of results, or a commit to run now",
    )
    parser.add_argument(
        "--vary",
        action="append_const",
        const="vary",
        dest="climb",
        help="run the baseline once more with time zone, locale, user, host, folder, date and "
        "more changed",
    )
    parser.add_argument(
        "--recover",
        action="append_const",
        const="recover",
        dest="climb",
        help="kill a run of each profile at several moments, resume it, and compare",
    )
    parser.add_argument(
        "--stage",
        action="append_const",
        const="stage",
        dest="climb",
        help="run the baseline once more with jobs that see only the files they declare",
    )
    parser.add_argument(
        "--nodes",
        action="append_const",
        const="nodes",
        dest="climb",
        help="run the baseline once more with each job a process of its own, as on a cluster",
    )
    parser.add_argument(
        "--executor",
        choices=("slurm",),
        default="",
        help="run a profile for Slurm by its own executor, on a Slurm of one node in its room",
    )
    parser.add_argument(
        "--snakemake",
        action="append",
        metavar="VERSION",
        default=[],
        help="run under this Snakemake; a second one runs the baseline once more and is compared",
    )
    parser.add_argument(
        "--rest",
        action="append_const",
        const="rest",
        dest="climb",
        help="let it decide that a second call, right after a run, would run nothing",
    )
    parser.add_argument(
        "--explain-cause",
        action="store_true",
        help="where several settings may have done it, find the one by runs in between",
    )
    parser.add_argument(
        "--diffoscope",
        action="store_true",
        help="show what diffoscope says of the files where differences begin",
    )
    options.entry(parser)
    options.limits(parser, run=True)
    parser.add_argument(
        "--keep-rooms", action="store_true", help="leave the folders of the rooms for a look"
    )
    options.common(parser)


_PLANNING_CODES = (
    "2 usage or configuration, 3 the workflow cannot be planned, 4 not everything "
    "could be examined, 70 internal error."
)


def _audit(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "audit",
        help="say of every setting of every profile whether it is policy or meaning, and compare "
        "the plans",
        description="Read, lint and plan REPO at REF under each of its profiles in fresh rooms, "
        "run no job, and write a review bundle.",
        epilog=f"Exit codes: 0 clean, 1 a finding of severity error, {_PLANNING_CODES}",
    )
    options.repo(parser)
    options.ref(parser)
    options.profiles(parser)
    options.env(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="cleanroom-audit",
        help="where the bundle goes (default: cleanroom-audit)",
    )
    options.entry(parser)
    options.limits(parser, run=False)
    options.common(parser)


def _plan(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "plan",
        help="say what confirm would do: entry, profiles, software, rooms; nothing is made or run",
        epilog="Exit codes: 0 said, 2 the call is wrong, 4 no room can be made here",
    )
    options.repo(parser)
    options.ref(parser)
    options.profiles(parser)
    options.env(parser)
    options.entry(parser)
    options.limits(parser, run=False)
    options.common(parser)


def _review(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "review",
        help="review what changed between two commits: policy, or meaning that came through "
        "a profile",
        description="Plan both commits under every profile, and say of each change whether it is "
        "policy, declared, or semantic drift.",
        epilog="Exit codes: 0 no undeclared drift, 1 meaning changed through a profile and no "
        f"commit says so, {_PLANNING_CODES}",
    )
    options.repo(parser)
    parser.add_argument("base", metavar="BASE", help="the commit, tag or branch before the change")
    parser.add_argument("ref", metavar="HEAD", help="the commit, tag or branch after it")
    options.profiles(parser)
    options.env(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="cleanroom-review",
        help="where the reports go (default: cleanroom-review)",
    )
    options.entry(parser)
    options.limits(parser, run=False)
    options.common(parser, ("text", "json", "md"))


def _explain(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "explain", help="what a setting of a profile does, or what a finding means"
    )
    parser.add_argument(
        "key",
        metavar="KEY",
        nargs="?",
        default="",
        help="a setting such as set-threads, or a code such as CR-016 (default: all)",
    )
    options.common(parser)


def _init(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "init", help="write a cleanroom.yaml, Makefile targets and a CI workflow; never overwrites"
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default=".", help="the repository (default: here)"
    )
    options.common(parser)


def _compare(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "compare",
        help="compare two stored runs or two folders",
        description="Compare two stored runs, by the digests of their evidence, or two folders.",
    )
    parser.add_argument("left", metavar="A", help="the digest of an evidence, or a folder")
    parser.add_argument("right", metavar="B", help="the digest of an evidence, or a folder")
    parser.add_argument("--out", metavar="DIR", default="", help="write the reports there too")
    options.common(parser)


def _suggest(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "suggest",
        help="the narrowest equivalences that would cover what a control run showed, for a "
        "person to review",
        description="Print the `equivalences:` for cleanroom.yaml that would cover what differs "
        "from itself, with the reasons left blank.",
        epilog="Exit codes: 0 everything that differs would be covered, 1 something would not, "
        "2 usage.",
    )
    parser.add_argument(
        "report",
        metavar="REPORT",
        help="the folder of a report with a control run, or the digest of an evidence",
    )
    parser.add_argument(
        "other",
        metavar="OTHER",
        nargs="?",
        default="",
        help="the digest of the evidence to compare with",
    )
    options.common(parser)


def _doctor(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "doctor", help="what is here, what is missing, and the command that fixes it"
    )
    options.common(parser)


def _image(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser("image", help="build the default room image")
    parser.add_argument(
        "--base",
        metavar="IMAGE",
        default="",
        help="an image with Python, or `debian` for one made here from packages",
    )
    parser.add_argument(
        "--snakemake",
        metavar="VERSION",
        default="",
        help="another version of Snakemake than the Dockerfile's",
    )
    parser.add_argument(
        "--tag", metavar="NAME", default="", help="another name than the default image's"
    )
    for name, what in (
        ("--apt", "a package of Debian to be in it"),
        ("--pip", "a package of Python to be in it, as pip takes it"),
        ("--requirements", "a file of such packages"),
    ):
        parser.add_argument(name, action="append", default=[], metavar="X", help=what)
    options.common(parser)


def _env(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "env", help="the environments that were made of declared packages, and their removal"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    options.common(actions.add_parser("list", help="each with its size and when it was used last"))
    show = actions.add_parser("show", help="the lock of one: every package with its digests")
    show.add_argument("name", metavar="PREFIX", help="the beginning of its digest")
    options.common(show)
    lock = actions.add_parser(
        "lock", help="write what was solved beside each environment of rules, as pins"
    )
    lock.add_argument("report", metavar="REPORT", help="the report.json of a confirmation")
    lock.add_argument(
        "--into", metavar="FOLDER", default=".", help="the top of the repository (default: here)"
    )
    options.common(lock)
    prune = actions.add_parser("prune", help="remove those used least recently, none in use")
    prune.add_argument(
        "--keep",
        metavar="SIZE",
        type=options.size_or_nothing,
        default=20 * 2**30,
        help="how much may stay, such as 5g or 0 (default: 20g)",
    )
    options.common(prune)


def _history(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "history",
        help="what was concluded of a repository over time, and what had changed each time",
        description="Every confirmation of REPO that is in the store, newest first: the verdict, "
        "what is known to have changed since the one before it, and what held before and does not "
        "now. Without REPO, where every repository stands.",
    )
    parser.add_argument(
        "repo", metavar="REPO", nargs="?", default="", help="a URL or a folder, as it was confirmed"
    )
    parser.add_argument("--ref", metavar="REF", default="", help="only confirmations of this ref")
    parser.add_argument(
        "--path", metavar="PATH", default="", help="what each confirmation left at this path"
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive, default=20, help="how many (default: 20)"
    )
    _of_ledger(parser)
    options.common(parser)


def _ledger(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "ledger", help="the index over all confirmations: bring it up to date, or make it again"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, text in (
        ("update", "take in the confirmations of the store that are not in it yet"),
        ("rebuild", "remove all that is in it, and take in the whole store"),
    ):
        one = actions.add_parser(action, help=text)
        _of_ledger(one)
        options.common(one)


def _of_ledger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ledger",
        metavar="URL",
        default="",
        help="the database, as SQLAlchemy names it (default: $CLEANROOM_LEDGER, or an SQLite file "
        "in the cache)",
    )

"""Options that several verbs have, and the values that they take.
Not here: verbs.
"""

import argparse
import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}
_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def duration(text: str) -> float:
    """Seconds from `90`, `90s`, `15m`, `2h`, `1d`, `1h30m`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise argparse.ArgumentTypeError(f"'{text}' is not a duration such as 90s, 15m or 2h")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise argparse.ArgumentTypeError("a duration must be longer than nothing")
    return seconds


def size(text: str) -> int:
    """Bytes from `500m`, `8g`, `2.5G`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt]?)i?b?", text.lower())
    if not match or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 500m or 8g")
    return int(float(match[1]) * _BYTES[match[2]])


def size_or_nothing(text: str) -> int:
    """Bytes, or 0."""
    return 0 if text == "0" else size(text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 on")
    return int(text)


def common(parser: argparse.ArgumentParser, formats: tuple[str, ...] = ("text", "json")) -> None:
    parser.add_argument(
        "--format",
        choices=formats,
        default="text",
        help="what standard output carries (default: text)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on standard error")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="more on standard error, and tracebacks"
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        help="mirrors, rooms and evidence (default: $CLEANROOM_CACHE or the user's cache folder)",
    )


def repo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repo", metavar="REPO", help="URL or local path of a git repository")


def ref(parser: argparse.ArgumentParser) -> None:
    what = "commit, tag or branch (default: HEAD)"
    parser.add_argument("ref", metavar="REF", nargs="?", default="HEAD", help=what)


def profiles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile",
        metavar="P",
        action="append",
        default=[],
        help="a profile by name or path, again for more, or `none` (default: all)",
    )
    parser.add_argument(
        "--baseline-profile",
        metavar="P",
        default="",
        help="what the others are compared with (default: local, or the first)",
    )
    parser.add_argument(
        "--image",
        metavar="I",
        default="",
        help="the image of the rooms (default: the one that `cleanroom image` builds)",
    )
    parser.add_argument(
        "--environment",
        choices=("auto", "declared", "default"),
        default="auto",
        help="packages that the commit declares: made and used unless an image is given (auto), "
        "always (declared), never (default)",
    )
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="make and fetch anew what the cache holds of the declared software",
    )
    parser.add_argument(
        "--deployment",
        choices=("auto", "declared", "conda", "apptainer", "none", "profile"),
        default="auto",
        help="what rules run in: the conda environments and containers that they declare "
        "(declared; auto, unless an image is given), only conda, only containers (apptainer), the "
        "room's own software (none), what the profile says (profile)",
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "docker", "sandbox"),
        default="auto",
        help="what makes the rooms (default: auto)",
    )


def env(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env",
        metavar="NAME",
        action="append",
        default=[],
        help="pass a variable of this call to every room; its value is masked in logs and reports",
    )


def entry(parser: argparse.ArgumentParser) -> None:
    entry = parser.add_argument_group("how the workflow is entered")
    entry.add_argument(
        "--folder",
        metavar="F",
        default="",
        help="the folder of the repository where you would call snakemake",
    )
    entry.add_argument("--snakefile", metavar="F", default="", help="the Snakefile, from there")
    entry.add_argument(
        "--directory", metavar="D", default="", help="Snakemake's own working directory, from there"
    )
    entry.add_argument(
        "--configfile",
        metavar="F",
        action="append",
        default=[],
        help="a config file, from there; again for more",
    )
    entry.add_argument(
        "--target",
        metavar="T",
        action="append",
        default=[],
        help="a rule or file to make; again for more",
    )
    entry.add_argument(
        "--cores", metavar="N", type=positive, help="the least number of cores that a profile gets"
    )
    entry.add_argument(
        "--config", metavar="FILE", default="", help="a cleanroom.yaml instead of the commit's own"
    )


def limits(parser: argparse.ArgumentParser, *, run: bool) -> None:
    limits = parser.add_argument_group("limits of a room")
    what = (
        "of a run, such as 90s, 15m or 2h (default: 24h)"
        if run
        else "of a step, such as 90s or 15m (default: 15m for a plan)"
    )
    limits.add_argument("--time-limit", metavar="D", type=duration, help=what)
    limits.add_argument("--memory", metavar="SIZE", type=size, help="such as 8g (the default)")
    limits.add_argument("--disk", metavar="SIZE", type=size, help="such as 50g (the default)")
    if run:
        limits.add_argument(
            "--jobs-in-parallel",
            metavar="N",
            type=positive,
            help="jobs at once in a room (default: as the profile says)",
        )
    limits.add_argument(
        "--network",
        choices=("none", "host"),
        default="none",
        help="what a room reaches while it runs (default: none)",
    )
    source = parser.add_argument_group("how the repository is fetched")
    what = "how long git may make no progress, such as 90s or 15m (default: 10m)"
    source.add_argument("--fetch-limit", metavar="D", type=duration, default=600.0, help=what)
    what = "let submodules of a local repository be any other repository of this machine"
    source.add_argument("--allow-local-submodules", action="store_true", help=what)
    what = "let wrappers, modules and includes come from this machine or a network around it"
    source.add_argument("--allow-private-sources", action="store_true", help=what)

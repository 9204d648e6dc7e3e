"""The truth bench: how often a confirmation says what is true. `make truth` prints the table.

python -m benchmarks.truth.run [--engine E] [--only TEXT] [--json FILE] [--record] [--jobs N]
[--peers]

`--peers` asks on the same cases what people use today, and prints it beside.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.truth.cases import Case, read_cases
from benchmarks.truth.judge import Answer, ask
from benchmarks.truth.peers import Said, ask_peers

RECORD = Path(__file__).with_name("record.json")
"""What the suite reached last; it must not fall below."""


def answers(
    cases: Sequence[Case],
    folder: Path,
    engine: str,
    jobs: int,
    saw: Callable[[Answer], None] = lambda _: None,
) -> list[Answer]:
    """Every case asked, some at once."""

    def one(case: Case) -> Answer:
        found = ask(case, folder / case.family / case.name, folder / "cache", engine)
        saw(found)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, cases))


def with_peers(found: Sequence[Answer], folder: Path, jobs: int) -> list[Said]:
    """What cleanroom and every peer said of the cases that are held or drift."""
    plain = [a for a in found if a.case.verdict in ("HELD", "DRIFTED")]
    said = [
        Said("cleanroom", a.case, {"DRIFTED": True, "HELD": False}.get(a.verdict), a.seconds)
        for a in plain
    ]
    with ThreadPoolExecutor(jobs) as pool:
        for more in pool.map(
            lambda a: ask_peers(a.case, folder / a.case.family / a.case.name), plain
        ):
            said += more
    return said


def peers_table(said: Sequence[Said]) -> str:
    """One row for each; none but cleanroom names a file's rule or a cause."""
    lines = [
        "| who | drift found | false alarms | could not tell | seconds a case |",
        "|---|---|---|---|---|",
    ]
    for who in dict.fromkeys(s.peer for s in said):
        of = [s for s in said if s.peer == who]
        drift, held = (
            [s for s in of if s.case.verdict == verdict] for verdict in ("DRIFTED", "HELD")
        )
        lines.append(
            f"| {who} | {sum(s.differs is True for s in drift)} of {len(drift)} | "
            f"{sum(s.differs is True for s in held)} of {len(held)} | "
            f"{sum(s.differs is None for s in of)} | {sum(s.seconds for s in of) / len(of):.1f} |"
        )
    return "\n".join(lines)


def score(found: Sequence[Answer]) -> dict[str, float | int]:
    """The figures of one group of cases; shares are between 0 and 1."""

    def share(values: Sequence[bool | None]) -> float:
        known = [v for v in values if v is not None]
        return round(sum(known) / len(known), 4) if known else 1.0

    drift, held = (
        [a for a in found if a.case.verdict == "DRIFTED"],
        [a for a in found if a.case.verdict == "HELD"],
    )
    return {
        "cases": len(found),
        "recall": share([a.verdict == "DRIFTED" for a in drift]),
        "false_alarms": sum(a.verdict != "HELD" for a in held),
        "held_wrongly": sum(a.verdict == "HELD" for a in found if a.case.verdict != "HELD"),
        "verdict": share([a.verdict_right for a in found]),
        "paths": share([a.paths_right for a in found]),
        "origin": share([a.origin_right for a in found]),
        "cause": share([a.cause_right for a in found]),
        "broken": sum(a.broke for a in found),
        "seconds": round(sum(a.seconds for a in found), 1),
    }


def table(found: Sequence[Answer]) -> str:
    """One row for each family, and one for all."""
    families = list(dict.fromkeys(a.case.family for a in found))
    rows = [(name, score([a for a in found if a.case.family == name])) for name in families] + [
        ("all", score(found))
    ]
    lines = [
        "| family | cases | drift found | false alarms | verdict | paths | origin | cause | "
        "seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, s in rows:
        shares = {
            key: f"{100 * float(s[key]):.0f} %"
            for key in ("recall", "verdict", "paths", "origin", "cause")
        }
        lines.append(
            f"| {name} | {s['cases']} | {shares['recall']} | {s['false_alarms']} | "
            f"{shares['verdict']} | {shares['paths']} | "
            f"{shares['origin']} | {shares['cause']} | {s['seconds']:.0f} |"
        )
    return "\n".join(lines)


def wrong(found: Sequence[Answer]) -> list[str]:
    """A line for each answer that is not right in everything."""
    lines = []
    for a in found:
        faults = [
            f"{what}: {said}, not {true}"
            for what, right, said, true in (
                ("verdict", a.verdict_right, a.verdict or a.why, a.case.verdict),
                ("paths", a.paths_right, list(a.differs), a.case.differs),
                ("origin", a.origin_right, list(a.origins), sorted(a.case.origins)),
                ("cause", a.cause_right, list(a.causes), sorted(a.case.causes)),
            )
            if right is False
        ]
        if faults:
            lines.append(f"{a.case.id}: {'; '.join(faults)}")
    return lines


def fallen(now: dict[str, float | int], least: dict[str, float | int]) -> list[str]:
    """The figures that are worse than those recorded."""
    worse = [
        k for k in ("recall", "verdict", "paths", "origin", "cause", "cases") if now[k] < least[k]
    ]
    return worse + [k for k in ("false_alarms", "held_wrongly", "broken") if now[k] > least[k]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="sandbox")
    parser.add_argument("--only", default="", help="a part of the names of cases")
    parser.add_argument("--json", default="")
    parser.add_argument("--record", action="store_true", help="write down what was reached")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="ask what people use today, too (reprotest where it is installed)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=(os.cpu_count() or 1) + 1,
        help="cases at once (a run waits now and then)",
    )
    arguments = parser.parse_args()
    cases = [case for case in read_cases() if arguments.only in case.id]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cleanroom-truth-") as folder:
        dots = lambda a: print("." if not wrong([a]) else "x", end="", flush=True, file=sys.stderr)  # noqa: E731
        found = answers(cases, Path(folder), arguments.engine, arguments.jobs, dots)
        spent = time.monotonic() - begin
        print(file=sys.stderr)
        print(f"{table(found)}\n\n{len(cases)} cases in {spent:.0f} s\n", flush=True)
        print("\n".join(wrong(found)), flush=True)
        said = with_peers(found, Path(folder) / "peers", arguments.jobs) if arguments.peers else []
    if said:
        print(f"\n{peers_table(said)}\n")
    whole = score(found)
    if arguments.json:
        peers = [
            {
                "peer": s.peer,
                "case": s.case.id,
                "differs": s.differs,
                "seconds": round(s.seconds, 1),
            }
            for s in said
        ]
        Path(arguments.json).write_text(
            json.dumps({"all": whole, "wrong": wrong(found), "peers": peers}, indent=1) + "\n"
        )
    if arguments.record:
        RECORD.write_text(
            json.dumps({k: v for k, v in whole.items() if k != "seconds"}, indent=1) + "\n"
        )
    if arguments.only or not RECORD.exists():
        return 0
    worse = fallen(whole, json.loads(RECORD.read_text()))
    print(f"worse than recorded: {', '.join(worse)}" if worse else "nothing is worse than recorded")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main())

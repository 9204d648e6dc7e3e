"""Three plans of 10,000 jobs, written as a room exports them, then read and audited; prints the
seconds and the peak memory in MB.

python -m benchmarks.plans FOLDER
"""

import resource
import sys
import time
from pathlib import Path

import msgspec

from cleanroom.audit import audit
from cleanroom.values.plan import FileRef, Job, Plan, Rule
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import Entry, Image, Profile, Setting, Source

JOBS = 10_000


def export(folder: Path, threads: int) -> Path:
    """A plan in which each job has inputs, params, resources and a command, as real ones have."""
    jobs = tuple(
        Job(
            rule=f"step{i % 20}",
            wildcards={"sample": f"s{i}"},
            input=tuple(FileRef(path=f"results/{i % 20}/s{i}.{n}.bam") for n in range(4)),
            output=(FileRef(path=f"results/{i % 20}/s{i}.vcf"),),
            log=(f"logs/{i}.log",),
            params=[["quality", [30]], ["name", [f"s{i}"]]],
            command=f"call --threads {threads} --in results/{i % 20}/s{i}.bam --out "
            f"results/{i % 20}/s{i}.vcf",
            threads=threads,
            resources={"mem_mb": 1000, "tmpdir": "/tmp", "disk_mb": 1000},
            target=i == 0,
        )
        for i in range(JOBS)
    )
    rules = {
        f"step{i}": Rule(
            code={"shellcmd": "call"}, threads=threads, reads={"threads": ("command",)}
        )
        for i in range(20)
    }
    path = folder / f"plan-{threads}.json"
    path.write_bytes(
        msgspec.json.encode(
            Plan(
                jobs=jobs,
                rules=rules,
                config={"samples": [f"s{i}" for i in range(500)]},
                targets=("x",),
            )
        )
    )
    return path


def evidence(name: str, plan: Plan, threads: int) -> Evidence:
    return Evidence(
        attempt_id=name,
        source=Source(url="x", ref="x", commit="0" * 40),
        entry=Entry(),
        profile=Profile(name=name, path=name),
        context={},
        image=Image(reference="x", digest="x", engine="x", isolation="x"),
        status=RunStatus.COMPLETED,
        plan=plan,
        settings=(Setting(key="set-threads", value=[f"step1={threads}"], file=name),),
    )


def main() -> None:
    folder = Path(sys.argv[1])
    if len(sys.argv) == 2:
        # In a process of its own, so that the peak is that of reading and comparing.
        import subprocess

        for threads in (1, 4, 8):
            export(folder, threads)
        sys.exit(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.plans", str(folder), "compare"], check=False
            ).returncode
        )
    begin = time.perf_counter()
    runs = [
        evidence(
            f"p{n}", msgspec.json.decode((folder / f"plan-{n}.json").read_bytes(), type=Plan), n
        )
        for n in (1, 4, 8)
    ]
    found = audit(runs)
    seconds = time.perf_counter() - begin
    assert [len(plan.differences) for plan in found.plans] == [0, 2 * JOBS, 2 * JOBS]
    assert not any(plan.drifts for plan in found.plans)
    print(f"{seconds:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    main()

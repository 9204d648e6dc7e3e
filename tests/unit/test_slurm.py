"""What a Slurm of a room is told, and how it answers for its `sacct`."""

from pathlib import Path
from typing import Any

import pytest

from cleanroom.evidence.failure import lacking
from cleanroom.room.inside import slurm
from cleanroom.room.inside.sacct import options_of, rows_of, shown
from cleanroom.room.inside.slurm import asked, by_slurm

SAID = (
    "JobId=3 JobName=ab-cd UserId=c(1) JobState=COMPLETED Reason=None Partition=batch ExitCode=0:0 "
    "RunTime=00:00:02 Account=(null) NumNodes=1 NumCPUs=2 WorkDir=/room/work\n"
    "JobId=5 ArrayJobId=4 ArrayTaskId=1 JobName=array JobState=FAILED Partition=batch "
    "ExitCode=1:0\n"
    "No jobs in the system\n"
)


def spec(*, slurm: bool = True) -> Any:
    return {"slurm": slurm}


def test_which_settings_send_jobs_to_slurm() -> None:
    assert by_slurm(spec(), {"executor": "slurm"}, 9)
    assert not by_slurm(spec(), {"executor": "lsf"}, 9)
    assert not by_slurm(spec(slurm=False), {"executor": "slurm"}, 9)
    assert by_slurm(spec(), {"cluster": "/usr/bin/sbatch -p x"}, 7)
    assert not by_slurm(spec(), {"cluster": "qsub"}, 7)


def test_what_jobs_ask_of_a_cluster() -> None:
    def job(**resources: Any) -> dict[str, Any]:
        return {"resources": resources}

    found = asked(
        [
            job(slurm_partition="short,long", constraint="fast&big", gres="gpu:a100:2,lscratch:10"),
            job(slurm_partition="short", licenses="matlab:2,abaqus", gpu=1),
            job(slurm_partition="no name; rm", gpu_model="h100"),
        ],
        {"default-resources": ["slurm_partition='batch'", "mem_mb=1"], "cluster": "sbatch -p old"},
    )
    assert found == {
        "partitions": ["short", "long", "batch", "old"],
        "features": ["fast", "big"],
        "gres": ["gpu:a100", "lscratch", "gpu", "gpu:h100"],
        "licenses": ["matlab", "abaqus"],
    }


def test_a_room_without_the_programs_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(slurm, "SYSTEM", str(tmp_path))
    with pytest.raises(slurm.NoSlurm, match="not in this room") as raised:
        slurm.start([], {})
    found = lacking(f"cleanroom_room.slurm.NoSlurm: {raised.value}\n", "3.11.7")
    assert found is not None and "Slurm in its room" in found.what


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["-X", "--parsable2", "--noheader", "--format=JobIdRaw,State", "--name", "ab-cd"],
            "3|COMPLETED\n",
        ),
        (["-n", "-P", "-j", "4_1", "-o", "JobID,State,ExitCode"], "4_1|FAILED|1:0\n"),
        (["-n", "-p", "-j", "4", "-o", "JobIDRaw"], "5|\n"),
        (["-P", "-o", "JobID,Account", "-s", "completed"], "JobID|Account\n3|\n"),
        (["-n", "-o", "State%12", "-j", "3"], "   COMPLETED \n"),
        (["-n", "-j", "99"], ""),
    ],
)
def test_sacct(words: list[str], expected: str) -> None:
    options = options_of(words)
    assert shown(rows_of(SAID, options), options) == expected

"""A program that answers as Slurm's `sacct` does, for a Slurm without a database: from the
controller, which forgets no job of a room. Standard library only.
"""

from __future__ import annotations

import getopt
import re
import subprocess
import sys
from typing import Dict, List

SHORT = "aA:bB:cC:D:e:E:f:g:hi:I:j:k:K:lL:M:nN:o:pPq:r:s:S:T:u:vW:x:X"
LONG = (
    "allusers accounts= brief completion duplicates endtime= format= jobs= name= noheader parsable "
    "parsable2 partition= state= starttime= user= uid= allocations clusters= cluster= long units= "
    "delimiter= array truncate noconvert federation local"
)
SAME = {
    "allusers": "a",
    "jobs": "j",
    "noheader": "n",
    "parsable": "p",
    "parsable2": "P",
    "format": "o",
    "state": "s",
}
FIELDS = {
    "jobid": "JobId",
    "jobidraw": "JobId",
    "jobname": "JobName",
    "state": "JobState",
    "exitcode": "ExitCode",
    "elapsed": "RunTime",
    "partition": "Partition",
    "account": "Account",
    "nnodes": "NumNodes",
    "ncpus": "NumCPUs",
    "alloccpus": "NumCPUs",
    "start": "StartTime",
    "end": "EndTime",
    "submit": "SubmitTime",
    "nodelist": "NodeList",
    "reason": "Reason",
    "comment": "Comment",
    "timelimit": "TimeLimit",
    "workdir": "WorkDir",
}
USUAL = "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode"
_FIELD = re.compile(r"(?:^| )([A-Z][A-Za-z/:]*)=(.*?)(?= [A-Z][A-Za-z/:]*=|$)")


def options_of(words: List[str]) -> Dict[str, str]:
    found, _ = getopt.gnu_getopt(words, SHORT, LONG.split())
    named = {key.lstrip("-"): value for key, value in found}
    return {SAME.get(key, key): value for key, value in named.items()}


def rows_of(said: str, options: Dict[str, str]) -> List[List[str]]:
    """The values of each job that is asked for, from what `scontrol -o show job` says."""
    ids = set(filter(None, options.get("j", "").split(",")))
    names = set(filter(None, options.get("name", "").split(",")))
    states = set(filter(None, options.get("s", "").upper().split(",")))
    rows = []
    for line in said.splitlines():
        job = dict(_FIELD.findall(line))
        if "JobId" not in job:
            continue
        raw = job["JobId"]
        if "ArrayTaskId" in job:
            job["JobId"] = job["ArrayJobId"] + "_" + job["ArrayTaskId"]
        known = {raw, job["JobId"], job["JobId"].split("_")[0]}
        if (ids and not known & ids) or (names and job.get("JobName") not in names):
            continue
        if states and job.get("JobState") not in states:
            continue
        keys = [word.split("%")[0].lower() for word in wanted(options)]
        values = [raw if key == "jobidraw" else job.get(FIELDS.get(key, ""), "") for key in keys]
        rows.append([value.replace("(null)", "") for value in values])
    return rows


def wanted(options: Dict[str, str]) -> List[str]:
    return [field for field in options.get("o", USUAL).split(",") if field]


def shown(rows: List[List[str]], options: Dict[str, str]) -> str:
    if "n" not in options:
        rows = [[field.split("%")[0] for field in wanted(options)], *rows]
    if "P" in options or "p" in options:
        end = "|\n" if "p" in options else "\n"
        return "".join("|".join(row) + end for row in rows)
    widths = [abs(int(field.split("%")[1])) if "%" in field else 10 for field in wanted(options)]
    return "".join(
        "".join("%*s " % pair for pair in zip(widths, row)) + "\n"  # noqa: B905 - Python 3.8
        for row in rows
    )


def main(words: List[str]) -> int:
    try:
        options = options_of(words)
    except getopt.GetoptError as error:
        sys.stderr.write("sacct: %s\n" % error)
        return 1
    ended = subprocess.run(
        ["scontrol", "-o", "show", "job"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if ended.returncode:
        sys.stderr.write(ended.stderr.decode("utf-8", "replace"))
        return 1
    said = ended.stdout.decode("utf-8", "replace")
    sys.stdout.write(shown(rows_of(said, options), options))
    return 0

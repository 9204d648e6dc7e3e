"""A Slurm of one node in a room, so that a profile for Slurm runs through its own executor: the
controller and the node as the room's own user, without a right, with the partitions and resources
that the plan asks for.

What it enforces: partitions, processors, how long a job may run, features, generic resources,
licences. What it does not: memory, accounts, quality of service. Not here: what a job is.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from typing import Any, Iterable

from .deployment import first_on_path
from .export import IN, attempt
from .protocol import Record, Spec

FOLDER = "/tmp/slurm"
PROGRAMS = os.path.join(IN, "slurm", "bin")
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
SECONDS, LAST_SECONDS = 30.0, 3.0
WAIT = 0.3
LEAST_CPUS, MEMORY = 64, 1048576
_WORD = re.compile(r"[A-Za-z0-9][\w.-]*")

CONFIGURATION = """ClusterName=room
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
# Without it Slurm asks for IPv4 in a way that fails where only a loopback exists.
CommunicationParameters=EnableIPv6
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MailProg=/bin/true
# No control groups, no pinning, no accounting.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
# The node may claim more than the host has; what it cannot hold is refused at once.
SlurmdParameters=config_overrides
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Without it a job that asks for no memory takes all of the node.
DefMemPerCPU=1
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
# The controller forgets no job of a room: `sacct` answers from it.
MinJobAge=86400
MaxJobCount=100000
JobRequeue=0
ReturnToService=2
SlurmdTimeout=0
KillWait=5
OverTimeLimit=0
"""


class NoSlurm(Exception):  # noqa: N818 - what the room lacks, not a fault of ours
    pass


def is_here() -> bool:
    """Whether this room has the programs of Slurm."""
    return all(shutil.which(name, path=SYSTEM) for name in ("slurmctld", "slurmd", "sbatch"))


def by_slurm(spec: Spec, force: Record, major: int) -> bool:
    """Whether these settings send jobs to Slurm, and this room has one for them."""
    if not spec["slurm"]:
        return False
    if major < 8:
        return str(force.get("cluster", "")).split(" ")[0].rpartition("/")[2] == "sbatch"
    return force.get("executor") == "slurm"


def asked(jobs: Iterable[Record], force: Record) -> dict[str, list[str]]:
    """What jobs ask of a cluster, by kind: names of partitions, features, generic resources,
    licences.
    """
    found: dict[str, dict[str, None]] = {
        kind: {} for kind in ("partitions", "features", "gres", "licenses")
    }
    of_profile = re.findall(
        r"\b(slurm_partition|constraint|gres|licenses)=[\"']*([^\s\"',\]]+)",
        "%s %s" % (force.get("default-resources", ""), force.get("set-resources", "")),
    )
    for resources in [job["resources"] for job in jobs] + [
        {key: value} for key, value in of_profile
    ]:
        for key in ("slurm_partition", "partition"):
            _add(found["partitions"], resources.get(key))
        _add(found["features"], resources.get("constraint"))
        for item in str(resources.get("gres") or "").split(","):
            _add(found["gres"], item.rpartition(":")[0])
        for item in str(resources.get("licenses") or "").split(","):
            _add(found["licenses"], item.partition(":")[0])
        if resources.get("gpu") or resources.get("gpus"):
            _add(found["gres"], "gpu")
        if resources.get("gpu_model"):
            _add(found["gres"], "gpu:%s" % resources["gpu_model"])
    command = str(force.get("cluster", ""))
    for name in re.findall(r"(?:\s-p\s*|--partition[= ])([\w.-]+)", command):
        _add(found["partitions"], name)
    return {kind: list(names) for kind, names in found.items()}


def _add(names: dict[str, None], said: Any) -> None:
    for word in re.split(r"[,&|]", str(said or "")):
        if all(map(_WORD.fullmatch, word.split(":"))) and word:
            names[word] = None


def start(jobs: list[Record], force: Record) -> None:
    """Bring it up with all that these jobs ask for. Raises: NoSlurm."""
    if not is_here():
        raise NoSlurm("the programs of Slurm are not in this room")
    wanted = asked(jobs, force)
    user, host = pwd.getpwuid(os.getuid()).pw_name, os.uname().nodename.split(".")[0]
    for name in ("state", "spool"):
        os.makedirs(os.path.join(FOLDER, name), exist_ok=True)
    kinds = sorted({one.partition(":")[0] for one in wanted["gres"]})
    text = CONFIGURATION.format(host=host, user=user, folder=FOLDER)
    if kinds:
        text += "GresTypes=%s\n" % ",".join(kinds)
    if wanted["licenses"]:
        text += "Licenses=%s\n" % ",".join("%s:1000" % one for one in wanted["licenses"])
    cpus = max([LEAST_CPUS] + [4 * job["threads"] for job in jobs])
    text += (
        "NodeName={0} NodeAddr=127.0.0.1 NodeHostname={0} CPUs={1} Sockets=1 CoresPerSocket={1} "
        "ThreadsPerCore=1 RealMemory={2}{3}{4} State=UNKNOWN\n"
    ).format(
        host,
        cpus,
        MEMORY,
        " Features=%s" % ",".join(wanted["features"]) if wanted["features"] else "",
        " Gres=%s" % ",".join("%s:8" % one for one in wanted["gres"]) if wanted["gres"] else "",
    )
    for number, name in enumerate(wanted["partitions"] or ["main"]):
        text += "PartitionName=%s Nodes=%s Default=%s MaxTime=INFINITE State=UP\n" % (
            name,
            host,
            "NO" if number else "YES",
        )
    with open(os.path.join(FOLDER, "slurm.conf"), "w") as stream:
        stream.write(text)
    with open(os.path.join(FOLDER, "cgroup.conf"), "w") as stream:
        stream.write("CgroupPlugin=cgroup/v1\n")
    _lay_devices(host, wanted["gres"])
    first_on_path(PROGRAMS)
    for words in (["slurmctld", "-c"], ["slurmd", "-N", host]):
        program = shutil.which(words[0], path=SYSTEM)
        ended = subprocess.run(
            [str(program), *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if ended.returncode:
            raise NoSlurm(_last_of(words[0], ended.stdout))
    _wait()


def _last_of(name: str, said: bytes) -> str:
    """What a program of it said last, itself or in its log."""
    text = said.decode("utf-8", "replace")
    log = os.path.join(FOLDER, name + ".log")
    if os.path.exists(log):
        with open(log, errors="replace") as stream:
            text += stream.read()
    lines = [line for line in text.splitlines() if line.strip()]
    return "%s: %s" % (name, lines[-1].strip() if lines else "it does not start")


def _lay_devices(host: str, gres: list[str]) -> None:
    """A generic resource is a file for each unit; the kind `gpu` counts none without."""
    with open(os.path.join(FOLDER, "gres.conf"), "w") as stream:
        for number, one in enumerate(gres):
            kind, _, model = one.partition(":")
            files = []
            for unit in range(8):
                files.append(os.path.join(FOLDER, "%s%d" % (kind, 8 * number + unit)))
                open(files[-1], "w").close()
            stream.write(
                "NodeName=%s Name=%s%s Count=8 File=%s\n"
                % (host, kind, " Type=%s" % model if model else "", ",".join(files))
            )


def _wait() -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        said = subprocess.run(
            ["sinfo", "--noheader", "--format=%t"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ).stdout.decode("utf-8", "replace")
        if set(said.split()) == {"idle"}:
            return
        time.sleep(0.05)
    raise NoSlurm("its node does not come up (%s)" % said.strip()[-300:])


def stop() -> None:
    """End it; what it leaves behind ends with the step."""
    for name in ("slurmctld", "slurmd"):
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(FOLDER, name + ".pid")) as stream:
                pid = int(stream.read())
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + LAST_SECONDS
            while time.monotonic() < end:
                os.kill(pid, 0)  # until there is no such process
                time.sleep(0.02)
            os.kill(pid, signal.SIGKILL)


def look_often() -> None:
    """Have Snakemake look for the end of jobs as often as a room wants; how often it does changes
    only how long a run waits.
    """
    import asyncio

    def patch() -> None:
        from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

        async def sleep(self: Any) -> None:
            await asyncio.sleep(WAIT)

        RemoteExecutor.sleep = sleep

    def begin_at_once() -> None:
        import snakemake_executor_plugin_slurm as plugin

        plugin.common_settings.init_seconds_before_status_checks = 1

    attempt(patch)
    attempt(begin_at_once)

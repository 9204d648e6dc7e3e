"""One run in one room of an engine: a workflow whose only job is a Python script that looks around."""

import json
from pathlib import Path
from typing import Any

from cleanroom.evidence.request import HostContext, RunSpec
from cleanroom.evidence.run import run
from cleanroom.evidence.store import Store
from cleanroom.room import rooms
from cleanroom.room.engines.registry import open_engine
from cleanroom.source import open_repository
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Entry, Profile

SNAKEFILE = 'rule all:\n    output: "out.json"\n    shell: "python3 s.py {output}"\n'


def looked_around(
    repo: Path, cache: Path, engine: str, **how: Any
) -> tuple[Evidence, dict[str, Any]]:
    """(the evidence, what the script wrote as JSON); `how` are fields of the run's specification.

    The repository has `SNAKEFILE` and the script `s.py`.
    """
    source = open_repository(str(repo), cache).resolve("HEAD")
    owner = rooms.Owner(cache)
    opened = open_engine(engine)
    try:
        host = HostContext(
            repo=str(repo),
            engine=engine,
            cache=str(cache),
            owner=owner.name,
            mark=owner.mark,
        )
        spec = RunSpec(
            source=source,
            entry=Entry(),
            profile=Profile(name="none"),
            image=opened.resolve(""),
            **how,
        )
        evidence = run(spec, host)
    finally:
        opened.close()
        owner.close()
    store = Store(cache / "store")
    kept = {a.path: a.sha256 for a in evidence.artifacts if a.kind == "file"}
    found = store.content(kept["out.json"]).read_text() if "out.json" in kept else "{}"
    return evidence, json.loads(found)

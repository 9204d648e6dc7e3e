"""Images that rules run in: which ones a plan asks for, and the program by which Snakemake runs a
command in one. It asks the host, who runs it beside this room. Not here: that program.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import Any

from .deployment import asks_for, first_on_path
from .export import IN, attempt, clean
from .plan import graph_of, jobs_of
from .protocol import Record, Spec

PROGRAMS = os.path.join(IN, "containers", "bin")
METHODS = ("apptainer", "singularity")
SWITCHES = ("use-singularity", "use-apptainer")
PLACES_OF_IMAGES = ("singularity-prefix", "apptainer-prefix")


def asks_for_containers(settings: Record) -> bool:
    """Whether these settings have rules run in containers."""
    return asks_for(settings, METHODS, SWITCHES)


def offer_containers(spec: Spec, settings: Record) -> None:
    """An `apptainer` that knows the images of this room, for settings that ask for one."""
    if asks_for_containers(settings) and (spec["images"] or not any(map(shutil.which, METHODS))):
        first_on_path(PROGRAMS)


def images_of(workflow: Any) -> list[Record]:
    """The images that jobs declare; behind a checkpoint every rule may have jobs that no plan
    shows.
    """
    found: dict[str, Record] = {}
    planned = jobs_of(graph_of(workflow))
    grows = any(getattr(rule, "is_checkpoint", False) for rule in workflow.rules)
    asked = [(job.rule, attempt(partial(getattr, job, "container_img_url"))) for job in planned]
    for rule in workflow.rules if grows else ():
        asked.append((rule, attempt(partial(rule.expand_container_img, {}))))
    for rule, url in asked:
        if not isinstance(url, str) or not url:
            continue
        image = found.setdefault(url, {"url": clean(url), "scripts": False, "beside_conda": False})
        image["scripts"] = image["scripts"] or is_python(rule)
        beside = getattr(rule, "conda_env", None) and not getattr(rule, "is_containerized", False)
        image["beside_conda"] = image["beside_conda"] or bool(beside)
    return list(found.values())


def is_python(rule: Any) -> bool:
    """Whether jobs of a rule run a script of Python, or a wrapper, which mostly is one."""
    script = getattr(rule, "script", None) or getattr(rule, "notebook", None)
    if script is not None:
        return not str(script).endswith((".R", ".Rmd", ".jl", ".rs", ".sh"))
    return bool(getattr(rule, "wrapper", None))

"""What a workflow takes from beyond its commit, as a room asked for it: environments of conda,
images of containers, files of other places.
"""

from cleanroom.values.base import Value


class CondaWanted(Value, frozen=True):
    """An environment that rules declare: the text of its file, of the pins beside it and of the
    script that is run after it was made. `key` is how a room finds it again: the digest of these
    three. One that is known by its name only has neither.
    """

    name: str
    key: str = ""
    text: str = ""
    pin: str = ""
    deploy: str = ""


class ContainerWanted(Value, frozen=True):
    """An image that rules declare, by its address. `scripts`: scripts of Python run in it, which
    need Snakemake's own packages; `beside_conda`: rules declare an environment of conda too.
    """

    url: str
    scripts: bool = False
    beside_conda: bool = False


class Wants(Value, frozen=True):
    """What reading the workflow and planning it asked for. `sources` are addresses of files that
    were not there.
    """

    conda: tuple[CondaWanted, ...] = ()
    containers: tuple[ContainerWanted, ...] = ()
    sources: tuple[str, ...] = ()

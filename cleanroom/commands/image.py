"""`cleanroom image`: build the default room image."""

import argparse
import json
import os
from pathlib import Path

from cleanroom.commands.boundary import say
from cleanroom.errors import UsageError
from cleanroom.room.build import More, build_image
from cleanroom.room.engines.docker import DockerEngine


def command(arguments: argparse.Namespace) -> int:
    engine = DockerEngine()
    try:
        told = (lambda _: None) if arguments.quiet else say
        tag = build_image(
            engine,
            os.environ,
            told,
            base=arguments.base,
            snakemake=arguments.snakemake,
            tag=arguments.tag,
            more=More(tuple(arguments.apt), _requirements(arguments)),
        )
        image = engine.resolve(tag)
    finally:
        engine.close()
    print(
        json.dumps({"image": tag, "digest": image.digest})
        if arguments.format == "json"
        else f"{tag} {image.digest}"
    )
    return 0


def _requirements(arguments: argparse.Namespace) -> bytes:
    """One file of all the requirements that were given. Raises: UsageError."""
    texts = list(arguments.pip)
    for name in arguments.requirements:
        try:
            texts.append(Path(name).read_text())
        except (OSError, UnicodeDecodeError):
            raise UsageError(
                f"There is no file '{name}'.", "Give one with --requirements."
            ) from None
    return "".join(f"{text.rstrip()}\n" for text in texts).encode()

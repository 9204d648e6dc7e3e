"""`cleanroom image`: build the default room image."""

import argparse
import json
import os

from cleanroom.commands.boundary import say
from cleanroom.room.build import build_image
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

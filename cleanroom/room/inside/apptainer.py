"""A program that answers as apptainer, or singularity, does to Snakemake, in a room that may not
make containers: it asks the host, who runs the command in a container beside the room.

Nothing is fetched: `pull` writes down which image is meant. Standard library only; what it knows of
options is what Snakemake and its users give.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from typing import Dict, List, NoReturn, Optional, Tuple

from .beside import END, HEADER, INDEX, SOCKET, STDOUT, Asked, Indexed
from .export import WORK

VERSIONS = {"apptainer": "apptainer version 1.3.4", "singularity": "singularity-ce version 4.1.2"}
POINTER = "cleanroom-image "
FLAGS = frozenset(
    re.split(
        r"\s+",
        """-e --cleanenv -c --contain -C --containall --no-home --nv --rocm
-u --userns -i --ipc -p --pid --writable-tmpfs --no-privs -q
--quiet -s --silent --no-umask --compat -f --fakeroot --unsquash --no-init
--disable-cache --force -F -d --debug -v --verbose --nocolor""",
    )
)
CLEAN = frozenset(["-e", "--cleanenv", "-c", "--contain", "-C", "--containall", "--compat"])
BIND, PWD, HOME, ENV = ("-B", "--bind"), ("--pwd", "--cwd"), ("-H", "--home"), ("--env",)
VALUED = frozenset((*BIND, *PWD, *HOME, *ENV, "--name", "-W", "--workdir", "-S", "--scratch"))
OF_ROOM = ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "FAKETIME", "PYTHONPATH", "BASH_ENV")
"""Variables that mean something in the room only."""
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHARED = ("/room/places", "/room/env", "/room/inputs", "/tmp")
"""What a container sees of the room, at the same places."""
PACKAGES = re.compile(r"/mnt/snakemake(_searchpaths/item_\d+)?")
ENTER = 'umask "$1"; cd "$2" || exit 255; shift 2; exec "$@"'


def fail(text: str) -> NoReturn:
    sys.stderr.write("FATAL:   %s (in a room, cleanroom answers for apptainer)\n" % text)
    sys.exit(255)


def parse(words: List[str]) -> Tuple[Dict[str, List[str]], List[str]]:
    """({option: its values}, what follows the options)."""
    options: Dict[str, List[str]] = {}
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        key, equal, value = word.partition("=")
        if key in FLAGS:
            options[key] = []
        elif key in VALUED:
            if not equal and not words:
                fail("%s needs a value" % key)
            options.setdefault(key, []).append(value if equal else words.pop(0))
        else:
            fail("the option %s is not known" % key)
    return options, words


def values(options: Dict[str, List[str]], names: Tuple[str, ...]) -> List[str]:
    return [value for name in names for value in options.get(name, [])]


def index() -> Dict[str, Indexed]:
    try:
        with open(INDEX) as stream:
            found: Dict[str, Indexed] = json.load(stream)
            return found
    except OSError:
        return {}


def image_of(word: str) -> str:
    """The address of an image: itself, or what `pull` wrote down."""
    if word in index():
        return word
    try:
        with open(word, encoding="utf-8") as stream:
            text = stream.read(4096)
    except (OSError, UnicodeDecodeError):
        text = ""
    url = text[len(POINTER) :].strip() if text.startswith(POINTER) else ""
    if url not in index():
        fail("there is no image %s in this room" % word)
    return url


def pull(options: Dict[str, List[str]], words: List[str]) -> None:
    url = words[-1] if words else fail("pull needs an image")
    if url not in index():
        fail("the image %s was not fetched before this room, which has no network" % url)
    names = values(options, ("--name",)) + words[:-1]
    with open(names[0] if names else "image.sif", "w") as stream:
        stream.write(POINTER + url + "\n")


def variables(options: Dict[str, List[str]], image: Indexed, home: str) -> Dict[str, str]:
    """The variables of a command: the room's, unless a clean set is wanted, then the image's own,
    then those that are meant for containers.
    """
    env = {} if CLEAN & options.keys() else dict(os.environ)
    for name in list(env):
        if name in OF_ROOM or name.startswith(("SINGULARITYENV_", "APPTAINERENV_")):
            del env[name]
    env.update({"PATH": DEFAULT_PATH, **image["env"]})
    for prefix in ("SINGULARITYENV_", "APPTAINERENV_"):
        for name, value in os.environ.items():
            key = name[len(prefix) :] if name.startswith(prefix) else ""
            if key == "PREPEND_PATH":
                env["PATH"] = value + ":" + env["PATH"]
            elif key == "APPEND_PATH":
                env["PATH"] += ":" + value
            elif key:
                env[key] = value
    for pairs in values(options, ENV):
        for pair in pairs.split(","):
            key, _, env[key] = pair.partition("=")
    env["HOME"] = home
    return env


def bound(options: Dict[str, List[str]]) -> List[str]:
    """Where Snakemake's own packages are wanted; every other bind must be of a place that a
    container sees anyway.
    """
    packages = []
    for text in ",".join(values(options, BIND)).split(","):
        source, _, rest = text.partition(":")
        destination = rest.partition(":")[0] or source
        if PACKAGES.fullmatch(destination):
            if os.path.isdir(os.path.join(source, "snakemake")):
                packages.append(destination)
            continue
        if not source:
            continue
        full = os.path.abspath(source)
        seen = any((full + "/").startswith(place + "/") for place in (*SHARED, WORK))
        if full != os.path.abspath(destination) or not seen:
            fail("a container in a room sees %s only; --bind %s" % (", ".join(SHARED), text))
    return packages


def execute(options: Dict[str, List[str]], words: List[str]) -> int:
    if len(words) < 2:
        fail("exec needs an image and a command")
    url = image_of(words[0])
    home = (values(options, HOME) or [os.environ.get("HOME", "/")])[-1].split(":")[-1]
    folder = os.path.abspath((values(options, PWD) or [os.getcwd()])[-1])
    mask = os.umask(0)
    os.umask(mask)
    asked: Asked = {
        "image": url,
        "argv": ["sh", "-c", ENTER, "sh", "%04o" % mask, folder, *words[1:]],
        "env": variables(options, index()[url], home),
        "packages": bound(options),
    }
    with socket.socket(socket.AF_UNIX) as host:
        try:
            host.connect(SOCKET)
            host.sendall(json.dumps(asked).encode() + b"\n")
        except OSError as error:
            fail("the host does not answer (%s)" % error)
        code = answer(host)
    return fail("the host ended the command") if code is None else code


def answer(host: socket.socket) -> Optional[int]:
    """Pass on what the command prints; its exit code, or None where the host went away."""
    stream = host.makefile("rb")
    while True:
        header = stream.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        kind, length = HEADER.unpack(header)
        said = stream.read(length)
        if kind == END:
            return int(said)
        to = sys.stdout if kind == STDOUT else sys.stderr
        to.buffer.write(said)
        to.buffer.flush()


def main(name: str, words: List[str]) -> int:
    """What a call of `name` with these words does; its exit code."""
    if words[:1] in (["--version"], ["version"]):
        print(VERSIONS[name])
        return 0
    before, words = parse(words)
    verb = words.pop(0) if words else fail("no command is given")
    options, words = parse(words)
    options = {**before, **options}
    if verb == "pull":
        pull(options, words)
        return 0
    if verb == "exec":
        return execute(options, words)
    return fail("%s is not supported" % verb)

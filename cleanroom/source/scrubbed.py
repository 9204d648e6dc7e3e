"""What git may know of the host: how to reach a remote, and nothing of the user's configuration.
Not here: any call of git.
"""

import os
import uuid
from pathlib import Path

_PASSED = (
    "PATH",
    "SSH_AUTH_SOCK",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_SSH_COMMAND",  # how a private remote lets this user in
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",  # the certificates of a proxy
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)
_CONFIG = {
    "core.attributesFile": "/dev/null",  # what the user wants of files elsewhere
    "core.excludesFile": "/dev/null",
    "core.hooksPath": "/dev/null",  # no hook of a template or of the clone
    "core.fsmonitor": "false",  # a command that `status` would start
    "safe.directory": "*",  # a shared repository owned by somebody else is only read
    # a tree that would make git write elsewhere is refused when it arrives
    "transfer.fsckObjects": "true",
    "fetch.fsckObjects": "true",
    "receive.fsckObjects": "true",
    # bytes a second: a server that says nothing is left, even when we were killed
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "600",
    "gc.auto": "0",  # no work in the background after we are done
    "advice.detachedHead": "false",
    "submodule.recurse": "false",
    "core.quotePath": "false",
}
_HARMLESS = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTagName",
    "badTimezone",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "missingTaggerEntry",
    "multipleAuthors",
    "nulInCommit",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
    "badFilemode",
    "gitmodulesParse",
    "missingTag",
    "missingTagEntry",
    "extraHeaderEntry",
)
"""What git's check finds in old, honest repositories too, and what makes it write nothing anywhere
(git help fsck).
"""
_SSH = "ssh -o ConnectTimeout=60 -o ServerAliveInterval=15 -o ServerAliveCountMax=8"


def environment(configuration: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    """What git may know of the host: how to reach the remote, and nothing of the user's
    configuration.

    Ours is a file, not variables: those do not reach the process on the other side of a local
    fetch.
    """
    env = {key: os.environ[key] for key in _PASSED if key in os.environ}
    env.update(
        HOME="/nonexistent",
        GIT_CONFIG_GLOBAL=str(configuration),
        GIT_CONFIG_SYSTEM="/dev/null",
        GIT_CONFIG_NOSYSTEM="1",
    )
    env.update(
        GIT_ATTR_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        GIT_TEMPLATE_DIR="",
        LC_ALL="C",
        GIT_OPTIONAL_LOCKS="0",
    )
    env.update(
        GIT_NO_REPLACE_OBJECTS="1", GIT_GRAFT_FILE="/dev/null"
    )  # a commit is what its name says, and nothing else
    env.update(GIT_ALLOW_PROTOCOL="file", GIT_LFS_FORCE_PROGRESS="1")
    env.setdefault("GIT_SSH_COMMAND", _SSH)
    return env | (extra or {})


def configuration(cache: Path) -> Path:
    """The only configuration that git reads besides a mirror's own."""
    lines = [
        f"[{key.partition('.')[0]}]\n\t{key.partition('.')[2]} = {value}\n"
        for key, value in _CONFIG.items()
    ]
    lines += ['[fetch "fsck"]\n', *(f"\t{name} = ignore\n" for name in _HARMLESS)]
    path, text = cache / "gitconfig", "".join(lines)
    if not path.exists() or path.read_text() != text:
        cache.mkdir(parents=True, exist_ok=True)
        part = cache / f".gitconfig-{uuid.uuid4().hex}"
        part.write_text(text)
        part.replace(path)
    return path

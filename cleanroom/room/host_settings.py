"""What a room that makes software gets of this host: certificates, package index, proxy.
Not here: what a run gets, which is nothing.
"""

import configparser
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PIP = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_RETRIES",
    "PIP_DEFAULT_TIMEOUT",
)
PROXY = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_UV = {
    "UV_DEFAULT_INDEX": ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"),
    "UV_INDEX": ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
    "UV_INSECURE_HOST": ("UV_INSECURE_HOST", "PIP_TRUSTED_HOST"),
    "UV_HTTP_TIMEOUT": ("UV_HTTP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"),
}
"""uv's own variable, and those that are taken for it, the first one first."""


def certificates(environ: Mapping[str, str]) -> bytes:
    """The host's certificates; empty where it names none and has no bundle."""
    named = [environ[key] for key in _CERTIFICATES if environ.get(key)]
    for place in (
        *named,
        ssl.get_default_verify_paths().cafile or "",
        "/etc/ssl/certs/ca-certificates.crt",
    ):
        if place and Path(place).is_file():
            return Path(place).read_bytes()
    return b""


def index_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The package index and the proxy of this host, as uv takes them: from variables of uv and pip,
    else from pip's own files. An index that is a folder of this host is none for a room.
    """
    known = {**_of_files(environ), **environ}
    found = {name: known[name] for name in PROXY if known.get(name)}
    for name, sources in _UV.items():
        value = next((known[source] for source in sources if known.get(source)), "")
        words = [word for word in value.split() if not word.startswith(("file:", "/"))]
        if words:
            found[name] = " ".join(words)
    return found


def condarc(environ: Mapping[str, str]) -> dict[str, Any]:
    """What conda's own files of this host say, the user's last."""
    home = Path(environ.get("HOME") or "/")
    places = [
        Path("/etc/conda/.condarc"),
        home / ".condarc",
        home / ".conda" / ".condarc",
        *([Path(environ["CONDARC"])] if environ.get("CONDARC") else []),
    ]
    found: dict[str, Any] = {}
    for place in places:
        try:
            said = yaml.safe_load(place.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        found |= said if isinstance(said, dict) else {}
    return found


def _of_files(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip's files say, the user's own last."""
    home = Path(environ.get("HOME") or "/")
    places = [
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        *([Path(environ["PIP_CONFIG_FILE"])] if environ.get("PIP_CONFIG_FILE") else []),
    ]
    found: dict[str, str] = {}
    for place in places:
        parser = configparser.RawConfigParser()
        try:
            parser.read(place, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for key, value in parser["global"].items() if parser.has_section("global") else ():
            found[f"PIP_{key.replace('-', '_').upper()}"] = value.replace(os.linesep, " ")
    return found

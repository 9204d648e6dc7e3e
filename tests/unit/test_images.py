"""Images: how their layers are laid, what is installed in them, and the program that answers for
apptainer in a room.
"""

import io
import os
import tarfile
from pathlib import Path

import pytest

from cleanroom.environment.inside.image import lay, texts, within
from cleanroom.environment.inside.installed import ALPINE, DEBIAN, installed
from cleanroom.environment.inside.python import Refused
from cleanroom.environment.provision_container import _reference, _registry
from cleanroom.errors import Unprovided
from cleanroom.room.inside.apptainer import bound, parse, variables

Entry = tuple[str, str, str]  # path, kind, content or target


def layer(*entries: Entry) -> tarfile.TarFile:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, kind, content in entries:
            member = tarfile.TarInfo(path)
            member.mode = 0o4700
            member.type = {
                "file": tarfile.REGTYPE,
                "folder": tarfile.DIRTYPE,
                "link": tarfile.SYMTYPE,
                "hard": tarfile.LNKTYPE,
                "device": tarfile.CHRTYPE,
            }[kind]
            if kind in ("link", "hard"):
                member.linkname = content
            data = content.encode() if kind == "file" else b""
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return tarfile.open(fileobj=io.BytesIO(out.getvalue()))


def laid(root: Path, *layers: tuple[Entry, ...]) -> dict[str, str]:
    """{path: content, or where it leads} of a root after these layers."""
    for entries in layers:
        with layer(*entries) as archive:
            lay(str(root), archive)
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.is_file():
            found[name] = path.read_text()
    return found


def test_layers_add_replace_and_remove(tmp_path: Path) -> None:
    found = laid(
        tmp_path,
        (
            ("usr/", "folder", ""),
            ("usr/a", "file", "1"),
            ("usr/b", "file", "2"),
            ("etc/x", "file", "x"),
            ("etc/d/y", "file", "y"),
            ("opt/o", "file", "o"),
        ),
        (
            ("usr/.wh.a", "file", ""),
            ("usr/b", "link", "c"),
            ("usr/c", "file", "3"),
            ("usr/h", "hard", "usr/c"),
            ("etc/.wh..wh..opq", "file", ""),
            ("etc/z", "file", "z"),
            (".wh.opt", "file", ""),
            ("dev/null", "device", ""),
        ),
    )
    assert found == {"usr/b": "-> c", "usr/c": "3", "usr/h": "3", "etc/z": "z"}
    assert (tmp_path / "usr/c").stat().st_ino == (tmp_path / "usr/h").stat().st_ino
    assert (tmp_path / "usr/c").stat().st_mode & 0o7777 == 0o744
    assert (tmp_path / "etc").stat().st_mode & 0o7777 == 0o755


def test_a_folder_that_is_a_link_is_written_through(tmp_path: Path) -> None:
    """As in images whose /lib is a link; and a later layer may make a folder of it."""
    found = laid(
        tmp_path,
        (("usr/lib/", "folder", ""), ("lib", "link", "usr/lib"), ("bin", "link", "/usr/bin")),
        (("lib/a", "file", "1"), ("bin/b", "file", "2")),
    )
    assert found == {"lib": "-> usr/lib", "usr/lib/a": "1", "bin": "-> /usr/bin", "usr/bin/b": "2"}


@pytest.mark.parametrize(
    "entries",
    [
        (("../out", "file", "x"),),
        (("/../../out", "file", "x"),),
        (("a", "link", "../.."), ("a/out", "file", "x")),
        (("a", "link", "/"), ("b", "link", "a/.."), ("b/out", "file", "x")),
        (("a/b", "link", "../../../.."), ("a/b/.wh.keep", "file", "")),
    ],
)
def test_no_layer_reaches_out_of_its_root(tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    root = tmp_path / "r" / "root"
    root.mkdir(parents=True)
    (tmp_path / "keep").touch()
    laid(root, entries)
    assert {path.name for path in tmp_path.iterdir()} == {"r", "keep"}
    assert {path.name for path in root.parent.iterdir()} == {"root"}


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="circle"):
        laid(tmp_path, (("a", "link", "b"), ("b", "link", "a"), ("a/x", "file", "")))


def test_a_way_within_a_root(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/etc/deep")
    assert within(str(tmp_path), "x/../../y") == str(tmp_path / "y")
    assert within(str(tmp_path), "x") == str(tmp_path / "x")


def test_what_is_installed(tmp_path: Path) -> None:
    listed = (
        "Package: b\nStatus: install ok installed\nVersion: 1:2.0-1\nDescription: x\n Package: no\n"
        "\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
    )
    found = installed({DEBIAN: listed, ALPINE: "P:a\nV:3.1-r0\nA:x86_64\n\nP:c\nV:1\n"})
    assert [(one["name"], one["version"]) for one in found] == [
        ("a", "3.1-r0"),
        ("b", "1:2.0-1"),
        ("c", "1"),
    ]
    laid(tmp_path, ((DEBIAN[1:], "file", listed), (ALPINE[1:], "link", "/etc/passwd")))
    assert texts(str(tmp_path)) == {DEBIAN: listed}


@pytest.mark.parametrize(
    ("url", "reference", "registry"),
    [
        ("docker://debian:12", "debian:12", ""),
        ("docker://some/thing", "some/thing", ""),
        (
            "docker://reg.example.org/some/thing:1.0",
            "reg.example.org/some/thing:1.0",
            "reg.example.org",
        ),
        (
            "docker://localhost:5000/a@sha256:" + "0" * 64,
            "localhost:5000/a@sha256:" + "0" * 64,
            "localhost:5000",
        ),
    ],
)
def test_what_a_registry_knows_an_image_by(url: str, reference: str, registry: str) -> None:
    assert (_reference(url), _registry(reference)) == (reference, registry)


@pytest.mark.parametrize(
    "url",
    [
        "library://a/b:1",
        "shub://a",
        "/images/a.sif",
        "a.sif",
        "docker://",
        "docker://-x y",
        "https://x/a.sif",
    ],
)
def test_what_is_no_image_of_a_registry_is_refused(url: str) -> None:
    with pytest.raises(Unprovided):
        _reference(url)


def test_options_are_read_as_snakemake_gives_them() -> None:
    options, rest = parse(
        [
            "--home",
            "/room/work",
            "--bind=/tmp/a,/room/work",
            "-e",
            "-B",
            "/tmp",
            "x.simg",
            "sh",
            "-c",
            "ls -l",
        ]
    )
    assert options == {
        "--home": ["/room/work"],
        "--bind": ["/tmp/a,/room/work"],
        "-e": [],
        "-B": ["/tmp"],
    }
    assert rest == ["x.simg", "sh", "-c", "ls -l"]
    assert bound(options) == []


@pytest.mark.parametrize("words", [["--overlay", "x"], ["--home"], ["--net", "x"]])
def test_options_that_are_not_known_end_the_call(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(words)


@pytest.mark.parametrize(
    "text", ["/etc:/etc", "/room/in", "/tmp/a:/data", "/tmpx", "/room/work/../in"]
)
def test_a_place_that_a_container_does_not_see_cannot_be_bound(text: str) -> None:
    with pytest.raises(SystemExit):
        bound({"--bind": [text]})


def test_snakemakes_own_packages_are_asked_for_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "site/snakemake").mkdir(parents=True)
    places = [f"/mnt/snakemake_searchpaths/item_{i}" for i in range(2)]
    assert bound({"--bind": [f"{tmp_path}:{places[0]}", f"{tmp_path}/site:{places[1]}"]}) == [
        places[1]
    ]


def test_the_variables_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "PATH": "/room/bin",
        "LD_PRELOAD": "/lib/faketime.so",
        "PYTHONHASHSEED": "1",
        "WORD": "room",
        "APPTAINERENV_MORE": "1",
        "SINGULARITYENV_PREPEND_PATH": "/first",
    }
    monkeypatch.setattr("os.environ", given)
    image = {"digest": "", "env": {"PATH": "/image/bin", "WORD": "image"}}
    found = variables({"--env": ["A=1,B=2=3"]}, image, "/room/work")  # type: ignore[arg-type]
    assert found == {
        "PATH": "/first:/image/bin",
        "PYTHONHASHSEED": "1",
        "WORD": "image",
        "MORE": "1",
        "A": "1",
        "B": "2=3",
        "HOME": "/room/work",
    }
    assert "PYTHONHASHSEED" not in variables({"--cleanenv": []}, image, "/")  # type: ignore[arg-type]

"""Data that git does not hold: fetched once, verified, read-only in every room, not a result."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conda_channel import served
from tests.conftest import Cli, Confirm, Make, commit_all, require_engine

DATA = b"ACGT\n" * 1000
SNAKEFILE = """rule all:
    input: "out.txt"
rule one:
    input: "data/raw/reads.txt", "reference/deep/genome.fa"
    output: "out.txt"
    shell:
        "cat {input} | wc -c > {output}; "
        "(echo x >> data/raw/reads.txt && echo changed || echo kept) >> {output} 2>/dev/null"
"""


def archive(kind: str) -> bytes:
    packed = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as zipped:
            zipped.writestr("deep/genome.fa", ">a\nACGT\n")
    else:
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            info = tarfile.TarInfo("deep/genome.fa")
            info.size = 8
            tar.addfile(info, io.BytesIO(b">a\nACGT\n"))
    return packed.getvalue()


def stated(host: str, packed: bytes, *, reads: bytes = DATA) -> str:
    sums = [hashlib.sha256(data).hexdigest() for data in (reads, packed)]
    return f"""inputs:
  - {{target: data/raw/reads.txt, url: "{host}/reads.txt", sha256: {sums[0]}}}
  - {{target: reference, url: "{host}/reference", sha256: {sums[1]}, unpack: true}}
"""


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_data_are_fetched_once_and_lie_in_every_room(
    make_repository: Make, confirm: Confirm, cli: Cli, engine: str, tmp_path: Path, kind: str
) -> None:
    packed = archive(kind)
    host_folder, own = tmp_path / "host", tmp_path / "own"
    host_folder.mkdir()
    (host_folder / "reads.txt").write_bytes(DATA)
    (host_folder / "reference").write_bytes(packed)
    with served(host_folder) as host:
        files: dict[str, str | bytes] = {
            "Snakefile": SNAKEFILE,
            "cleanroom.yaml": stated(host, packed),
            "profiles/a/config.yaml": "cores: 1\n",
            "profiles/b/config.yaml": "executor: slurm\njobs: 2\n",
        }
        repo = make_repository(files=files)
        refused = cli("confirm", repo, "HEAD", "--engine", engine, "-q", cache=own)
        assert refused.code == 4 and "--allow-private-sources" in refused.err, refused.err
        asked = ("--engine", engine, "--allow-private-sources", "--keep-rooms")
        result, report = confirm(repo, *asked, cache=own)
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    assert [one["size"] for one in report["software"]["inputs"]] == [len(DATA), len(packed)]
    assert "2 inputs that git does not hold" in report["software"]["sentence"]
    left = {path.read_text() for path in (own / "rooms").glob("*/*/work/out.txt")}
    assert left == {"5008\nkept\n"}
    assert {d["path"] for d in report["differences"]} <= {"out.txt"}
    result, report = confirm(repo, *asked, cache=own, out="offline")
    assert result.code == 0, "what is there was fetched again"


def test_a_wrong_digest_a_lost_file_and_an_archive_that_is_none(
    make_repository: Make, cli: Cli, tmp_path: Path
) -> None:
    require_engine("sandbox")
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "reads.txt").write_bytes(DATA)
    (tmp_path / "host" / "reference").write_bytes(b"no archive")
    with served(tmp_path / "host") as host:
        asked = ("--engine", "sandbox", "-q", "--allow-private-sources")
        repo = make_repository(
            files={
                "Snakefile": SNAKEFILE,
                "cleanroom.yaml": stated(host, b"no archive", reads=b"x"),
            }
        )
        own = tmp_path / "own"
        result = cli("confirm", repo, "HEAD", *asked, cache=own)
        assert result.code == 4 and "is not what its SHA-256 says" in result.err, result.err
        assert not list(own.rglob("evidence/*")), "a room was made"
        (repo / "cleanroom.yaml").write_text(stated(host, b"no archive"))
        commit_all(repo)
        result = cli("confirm", repo, "HEAD", *asked, cache=own)
        assert result.code == 4 and "no archive of zip or tar" in result.err, result.err
        (repo / "cleanroom.yaml").write_text(stated(f"{host}/nowhere", b"y"))
        commit_all(repo)
        result = cli("confirm", repo, "HEAD", *asked, cache=tmp_path / "other")
        assert result.code == 4 and "cannot be fetched" in result.err, result.err


def test_a_path_of_this_machine_is_for_a_person_to_name(
    make_repository: Make, confirm: Confirm, cli: Cli, tmp_path: Path
) -> None:
    require_engine("sandbox")
    packed = archive("zip")
    (tmp_path / "reads").write_bytes(DATA)
    (tmp_path / "archive").write_bytes(packed)
    config = stated("H", packed).replace('url: "H/reads.txt"', f"path: {tmp_path}/reads")
    config = config.replace('url: "H/reference"', f"path: {tmp_path}/archive")
    repo = make_repository(files={"Snakefile": SNAKEFILE, "cleanroom.yaml": config})
    assert cli("confirm", repo, "HEAD", "--engine", "sandbox").code == 2
    own = tmp_path / "mine.yaml"
    own.write_text(config)
    result, report = confirm(repo, "--engine", "sandbox", "--config", str(own))
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err

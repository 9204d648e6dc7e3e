"""Variables that a workflow asks for: a person passes a secret, and nothing that is kept or shown of
the run holds it; the commit may give a value that is none.
"""

from pathlib import Path

from tests.conftest import Cli, Confirm, Make, callable_as_it_stands, commit_all, require_engine

SECRET = 'tok-4711/äß"q'
PROFILES: dict[str, str | bytes] = {
    "profiles/a/config.yaml": "cores: 1\n",
    "profiles/b/config.yaml": "cores: 2\n",
}
SNAKEFILE = """import os
envvars: "MY_TOKEN"
rule all:
    input: "out.txt"
rule one:
    output: "out.txt"
    params: word=os.environ["MY_TOKEN"]
    shell: "echo $MY_TOKEN >&2; printf %s \\"$MY_TOKEN\\" | wc -c > {output}; END"
"""


def test_a_secret_reaches_the_room_and_nothing_that_is_kept(
    make_repository: Make, confirm: Confirm, cli: Cli, cache: Path, tmp_path: Path
) -> None:
    require_engine("sandbox")
    files = PROFILES | {
        "Snakefile": SNAKEFILE.replace("END", "true"),
    }
    repo = make_repository(files=files)
    own = tmp_path / "own"
    result, report = confirm(repo, "--engine", "sandbox", cache=own)
    assert result.code == 4 and "--env" in result.out, result.out
    env = {"MY_TOKEN": SECRET}
    asked = ("--engine", "sandbox", "--env", "MY_TOKEN")
    result, report = confirm(repo, *asked, env=env, cache=own, out="passed")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    assert "--env MY_TOKEN" in report["reproduce"] and SECRET not in report["reproduce"]
    callable_as_it_stands(report["reproduce"])
    (repo / "Snakefile").write_text(SNAKEFILE.replace("END", "false"))
    commit_all(repo)
    failed, report = confirm(repo, *asked, "--verbose", env=env, cache=own, out="failed")
    assert failed.code == 3 and "***" in failed.out, failed.out
    kept = [p for p in (*own.rglob("*"), *tmp_path.glob("*/report*")) if p.is_file()]
    holding = [p for p in kept if b"tok-4711" in p.read_bytes()]
    assert [p for p in holding if "mirrors" not in p.parts] == []
    assert "tok-4711" not in failed.out + failed.err + result.out + result.err


def test_a_value_that_is_no_secret_stands_in_the_commit(
    make_repository: Make, confirm: Confirm
) -> None:
    require_engine("sandbox")
    files = PROFILES | {
        "Snakefile": SNAKEFILE.replace("END", "true"),
        "cleanroom.yaml": "environment: {variables: {MY_TOKEN: dummy-token}}\n",
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err

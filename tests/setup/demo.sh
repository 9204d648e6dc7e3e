#!/bin/sh
# Confirm a fixture repository with three profiles: in containers where Docker answers, else in the sandbox.
set -eu
venv=$1
cleanroom="$venv/bin/cleanroom"
here=$(pwd)
repo="$here/.demo/reads"

command -v git >/dev/null || { echo "The demo needs git. Type: sudo apt-get install git" >&2; exit 1; }

if [ ! -d "$repo/.git" ]; then
    mkdir -p "$here/.demo"
    rm -rf "$repo"
    cp -R fixtures/reads "$repo"
    git -C "$repo" init --quiet
    git -C "$repo" add --all
    GIT_AUTHOR_DATE="2026-01-01T00:00:00Z" GIT_COMMITTER_DATE="2026-01-01T00:00:00Z" \
        git -C "$repo" -c user.name=demo -c user.email=demo@example.org -c commit.gpgsign=false commit --quiet --message "The reads workflow"
fi

engine=sandbox
if "$venv/bin/python" -c 'from cleanroom.room.engines.docker import DockerEngine; DockerEngine()' 2>/dev/null; then
    # The image is built once; where it cannot be, the sandbox shows as much.
    "$cleanroom" doctor --format json | grep -q '"text": "cleanroom-room:latest' || "$cleanroom" image >/dev/null || true
    if "$cleanroom" doctor --format json | grep -q '"text": "cleanroom-room:latest'; then engine=docker; fi
fi
if [ "$engine" = sandbox ] && ! command -v bwrap >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing bubblewrap for the sandbox" >&2
        apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y bubblewrap >/dev/null
    else
        echo "No container engine answers, and the sandbox needs one package. Type: sudo apt-get install bubblewrap" >&2
        exit 1
    fi
fi

"$cleanroom" confirm "$repo" HEAD --engine "$engine" --out "$here/.demo/report"
echo
echo "Open .demo/report/report.html in a browser."

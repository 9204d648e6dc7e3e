#!/bin/sh
# Run a command with a container engine and the room images: with Docker where it answers, else with a daemon of our own, started for
# the command and stopped after it. As root on Debian, what is missing is installed; elsewhere the tests that need it say why they skip.
set -eu
venv=$1
shift
root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
answers() { "$venv/bin/python" -c 'from cleanroom.room.engines.docker import DockerEngine; DockerEngine()' 2>/dev/null; }
missing=""
need() { command -v "$1" >/dev/null || missing="$missing $2"; }

daemon=""
stop() {
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
}
trap stop EXIT
trap 'exit 130' INT TERM

if root_on_debian; then
    need bwrap bubblewrap
    need chromium chromium
    need chromedriver chromium-driver
    need git-lfs git-lfs
    need openssl openssl
    need diffoscope diffoscope-minimal
    need faketime faketime
    need skopeo skopeo
    [ -x /usr/sbin/slurmctld ] || missing="$missing slurmctld slurmd slurm-client"
    need docker-registry docker-registry
    need bash-static bash-static
    [ -x /bin/busybox ] || missing="$missing busybox-static"
    [ -d /usr/lib/postgresql ] || missing="$missing postgresql"
    if ! answers; then
        need dockerd docker.io
        need debootstrap debootstrap
    fi
    if [ -n "$missing" ]; then
        echo "installing$missing" >&2
        apt-get -qq update >/dev/null
        # shellcheck disable=SC2086 # a list of packages
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
    fi
    if ! answers; then
        # Its own socket and folders, so that it meets no other daemon; images stay for the next time.
        state=/var/lib/cleanroom-test-engine
        mkdir -p "$state"
        dockerd --host "unix://$state/docker.sock" --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/docker.pid" \
            --bridge none --iptables=false >"$state/log" 2>&1 &
        daemon=$!
        export DOCKER_HOST="unix://$state/docker.sock"
        tries=0
        until answers; do
            tries=$((tries + 1))
            if [ "$tries" -gt 60 ] || ! kill -0 "$daemon" 2>/dev/null; then
                echo "dockerd did not start:" >&2
                tail -n 5 "$state/log" >&2
                break
            fi
            sleep 1
        done
    fi
fi

if answers; then
    command -v debootstrap >/dev/null || ! root_on_debian || DEBIAN_FRONTEND=noninteractive apt-get -qq install -y debootstrap >/dev/null
    # Failing to build is not the end here: the tests that need an image say so, and in CI that is a failure.
    "$venv/bin/cleanroom" image --quiet || true
    for version in 7.32.4 8.30.0; do
        "$venv/bin/cleanroom" image --quiet --snakemake "$version" --tag "cleanroom-room:$version" || true
    done
fi
status=0
"$@" || status=$?
exit "$status"

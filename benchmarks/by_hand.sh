#!/bin/sh
# What a careful person does without cleanroom: per profile a clone, lint, dry-run and run in containers, then compare the digests.
# usage: by_hand.sh REPO IMAGE PROFILE...
set -eu
repo=$1
image=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
first=""
for profile in "$@"; do
    git clone --quiet "$repo" "$scratch/$profile"
    mkdir "$scratch/$profile/home"
    chmod -R a+rwX "$scratch/$profile"
    in_room() {
        docker run --rm --network none --user 10001:10001 --env HOME=/work/home --env USER=me --volume "$scratch/$profile:/work" --workdir /work \
            "$image" snakemake --profile "profiles/$profile" "$@" >"$scratch/$profile.log" 2>&1
    }
    in_room --lint || true
    in_room --dry-run
    in_room
    (cd "$scratch/$profile" && find results -type f -print0 | sort -z | xargs -0 sha256sum) >"$scratch/$profile.sums"
    [ -n "$first" ] || first=$profile
    diff "$scratch/$first.sums" "$scratch/$profile.sums"
done

#!/bin/sh
# What people write by hand: the workflow under each profile in a copy of its own, then lists of digests, of sizes, and the text of a dry-run.
# peers.sh SNAKEMAKE REPO FOLDER PART COMMIT:PROFILE COMMIT:PROFILE [TARGET...]
# Leaves FOLDER/{1,2}.{sums,sizes,plan}, and `failed` or `unplanned` instead of what did not end well.
set -eu
snakemake=$1 repo=$2 folder=$3 part=$4 first=$5 second=$6
shift 6
side=0
for pair in "$first" "$second"; do
    side=$((side + 1))
    cp -r "$repo" "$folder/$side"
    [ "${pair%%:*}" = HEAD ] || git -C "$folder/$side" checkout --quiet "${pair%%:*}"
    cd "$folder/$side/$part"
    call() { PYTHONHASHSEED=0 "$snakemake" "$@" --profile "profiles/${pair##*:}" --workflow-profile none; }
    if call "$@" --dry-run --printshellcmds >"$folder/text" 2>&1; then
        sed '1,/^Job stats/d; s/^\[.*\]$//' "$folder/text" >"$folder/$side.plan" # without the head, which has times and paths
    else
        touch "$folder/$side.unplanned"
    fi
    call "$@" >"$folder/$side.log" 2>&1 || touch "$folder/$side.failed"
    cd "$folder/$side"
    find . \( -name .git -o -name .snakemake -o -name profiles \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum >"$folder/$side.sums"
    find . \( -name .git -o -name .snakemake -o -name profiles \) -prune -o -type f -printf '%P\t%s\n' | sort >"$folder/$side.sizes"
done

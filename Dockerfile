# The default room image: a Python, a pinned Snakemake, and what people have beside it: the Python packages of a usual installation of
# Snakemake, its executor for jobs as processes of their own, the tools that rules call most, and libfaketime (for shifted clocks).
# `cleanroom image` builds it; where python:3.12-slim-bookworm cannot be pulled, on a base made from Debian packages.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}

ARG SNAKEMAKE=9.27.1
# Settings of the host's pip and its certificates, for the build only (a proxy breaks TLS without them).
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_RETRIES
ARG PIP_DEFAULT_TIMEOUT
COPY ca.pem /tmp/build/ca.pem

ARG TOOLS="git procps libfaketime wget curl bzip2 xz-utils zip unzip rsync gawk"
RUN dpkg --status $TOOLS >/dev/null 2>&1 || { \
      apt-get update && apt-get install --yes --no-install-recommends $TOOLS && rm -rf /var/lib/apt/lists/*; }
# Snakemake 7 builds a C extension, and needs the PuLP and setuptools of its time.
RUN case "${SNAKEMAKE}" in 7.*) apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev python3-dev \
      && rm -rf /var/lib/apt/lists/* ;; esac
RUN set -eu; \
    if [ -s /tmp/build/ca.pem ]; then export PIP_CERT=/tmp/build/ca.pem SSL_CERT_FILE=/tmp/build/ca.pem; fi; \
    case "${SNAKEMAKE}" in 7.*) also='pulp<2.8 setuptools<81' ;; *) also='snakemake-executor-plugin-cluster-generic' ;; esac; \
    python3 -m venv /opt/snakemake; \
    /opt/snakemake/bin/pip install --no-cache-dir --disable-pip-version-check "snakemake==${SNAKEMAKE}" $also pandas numpy peppy eido; \
    /opt/snakemake/bin/python -m compileall -q /opt/snakemake/lib; \
    rm -rf /tmp/build
ENV PATH=/opt/snakemake/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

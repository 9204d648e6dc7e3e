# Two commands for a newcomer: `make demo` and `make test`. Both set up all that they need.
VENV ?= .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# What was compiled is kept, whatever the caller's shell says: else every call that a test makes compiles the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check coverage pythons bench corpus truth faults fuzz schema pages clean

demo: $(VENV)/.demo
	@sh tests/setup/demo.sh $(VENV)

test: $(VENV)/.dev
	@sh tests/setup/with-engine.sh $(VENV) $(MAKE) --no-print-directory check

# ruff, mypy, import contracts, then every test but the tables that `make truth` asks, the unit tests under coverage; the last line
# is pytest's summary.
check: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup $(or $(PYTEST),-m "not truth" --cov --cov-report= --cov-fail-under=$(FLOOR))

# One more than there are processors: a test waits for its rooms now and then.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# Branches that the unit tests take, file by file; `make test` prints the sum and fails below FLOOR.
FLOOR := 62
coverage: $(VENV)/.dev
	$(PY) -m pytest -n auto --cov --cov-report=term:skip-covered tests/unit

# The unit tests under every other Python from 3.11 on that is on PATH.
pythons:
	@for minor in 11 12 13 14; do \
	    if ! command -v python3.$$minor >/dev/null; then echo "python3.$$minor: not here, skipped"; continue; fi; \
	    echo "python3.$$minor"; python3.$$minor -m venv .pythons/3.$$minor || exit 1; \
	    .pythons/3.$$minor/bin/python -m pip install --quiet --editable '.[dev]' || exit 1; \
	    .pythons/3.$$minor/bin/python -m pytest -q tests/unit || exit 1; \
	done

bench: $(VENV)/.dev
	@sh tests/setup/with-engine.sh $(VENV) $(PY) -m benchmarks.run $(BENCH)

# Public repositories as they are, from local clones: `make corpus CLONES=DIR`, where DIR/owner/name is one of benchmarks/corpus/corpus.toml.
corpus: $(VENV)/.dev
	@sh tests/setup/with-engine.sh $(VENV) $(PY) -m benchmarks.corpus.run --clones $(CLONES) $(CORPUS)

# Small workflows whose answer is known: in the sandbox, or `make truth ENGINE=docker`. Fails where a figure falls below what is recorded.
# After them the other tables of questions with a known answer (tests marked `truth`), unless TRUTH asks for something else.
ENGINE ?= sandbox
truth: $(VENV)/.dev
	@sh tests/setup/with-engine.sh $(VENV) $(PY) -m benchmarks.truth.run --engine $(ENGINE) $(TRUTH)
	@[ -n "$(TRUTH)" ] || $(PY) -m pytest -n $(WORKERS) --dist loadgroup -m truth

# Files made to deceive or to crash the comparators, guided by coverage where atheris is installed: `pip install -e '.[fuzz]'`.
SECONDS ?= 600
fuzz: $(VENV)/.dev
	$(PY) -m tests.fuzz.run --seconds $(SECONDS) $(FUZZ)

# Kill confirmations at random moments in both engines, and look at what is left.
KILLS ?= 300
faults: $(VENV)/.dev
	@sh tests/setup/with-engine.sh $(VENV) $(PY) -m tests.faults.run --kills $(KILLS)

# Write the JSON Schemas of evidence and of every report from the values and view models.
schema: $(VENV)/.dev
	$(PY) -m cleanroom.report.schema

# Write the pages of docs/ that are made from tables.
pages: $(VENV)/.dev
	$(PY) -m cleanroom.report.pages docs

$(VENV)/bin/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cleanroom needs Python 3.11 or newer." >&2; exit 1; }
	@python3 -m venv $(VENV) || { echo "Python's venv is missing. Type: sudo apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "installing cleanroom into $(VENV)"
	@$(PY) -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing cleanroom and its test tools into $(VENV)"
	@$(PY) -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .pythons .demo cleanroom-report dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

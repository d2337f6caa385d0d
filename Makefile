# Two commands: `make run` starts Waypost with a demo fleet, `make test` runs every check.
# Both make their own environment in .venv; Python 3.11 or newer is all that must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test lint types layers suite bench fuzz lock clean

run: $(VENV)/run.stamp
	@$(BIN)/python scripts/run_demo.py

test: lint types layers suite

lint: $(VENV)/dev.stamp
	ruff check src tests benchmarks scripts
	ruff format --check src tests benchmarks scripts

types: $(VENV)/dev.stamp
	mypy

layers: $(VENV)/dev.stamp
	lint-imports

suite: $(VENV)/dev.stamp $(VENV)/smsc/stamp
	pytest -n auto --dist worksteal

bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/run.py

fuzz: $(VENV)/dev.stamp
	WAYPOST_FUZZ=long pytest -n auto --timeout 1800 tests/corpus/test_robustness.py tests/protocols tests/api/test_fuzz.py

# Writes the lock file anew from pyproject.toml.
lock: $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --group dev pyproject.toml -o requirements-dev.lock

$(VENV)/bin/python:
	$(PYTHON) scripts/make_venv.py $(VENV)

$(VENV)/run.stamp: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/run.stamp

# What the tests' SMSC needs from npm.
$(VENV)/smsc/stamp: $(VENV)/dev.stamp tests/sms/center/package-lock.json scripts/get_smsc.py
	@$(BIN)/python scripts/get_smsc.py $(VENV)/smsc

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

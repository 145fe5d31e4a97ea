# Everything a person types. Needs Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KERNEL := cohortd/identity/native/kernel.c
# Debian has it in its package prometheus.
PROMTOOL ?= promtool
ROOMS := cohortd connectors clustering consent config

.PHONY: demo test slow evidence container rules check format lock clean

demo: $(READY)  ## The main job on real data, against local stand-ins of the platforms
	$(BIN)/cohortd demo

test: $(READY)  ## All tests
	$(BIN)/pytest -n 2

slow: $(READY)  ## Evidence that takes long: sweeps of kills, big differential tests
	$(BIN)/pytest -m slow -n 2

evidence: $(READY)  ## Kills, any order of things, mutants, power failures, a year; writes docs/evidence.md
	$(BIN)/python -m tests.evidence all

container: $(READY)  ## Build the image without an engine and run it; as root, options in CONTAINER="--twice ..."
	$(BIN)/python -m tests.container $(CONTAINER)

rules:  ## Check the rules for Prometheus, and hold them to what they should do; needs promtool (PROMTOOL=...)
	$(PROMTOOL) check rules deploy/prometheus/alerts.yaml
	$(PROMTOOL) test rules deploy/prometheus/alerts-test.yaml

check: $(READY)  ## Format, lint, types, import contracts, spelling, Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/hadolint Dockerfile

format: $(READY)  ## Lay out and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml requirements.lock hatch_build.py $(KERNEL)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cohortd needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q $(ROOMS)  # as pip does for what is not editable: commands start sooner
	touch $@

lock: $(READY)  ## Pin every dependency again
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--extra demo --extra otel --extra postgresql --extra stamp --group dev pyproject.toml -o requirements.lock

clean:  ## Forget the environment
	rm -rf $(VENV) build dist

# The only commands a person has to know. `make run` needs Python 3.11, make and pip; `make test` brings the rest.
STORE ?= demo
PORT ?= 8501
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check --require-virtualenv

.PHONY: help env dev browser run test soak lint types bench screenshots offline-bundle lock
.DEFAULT_GOAL := help

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A stamp is written last, so that what was broken off is done again and what was done is not.
$(VENV)/env.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Shapan needs Python 3.11; '$(PYTHON)' is another. Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/env.stamp requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

env: $(VENV)/env.stamp ## The environment in .venv, pinned by requirements.lock

dev: $(VENV)/dev.stamp ## What checks and tests need besides, pinned by requirements-dev.lock

browser: ## Chromium and a font with Chinese glyphs, where they are missing and may be installed
	@scripts/install-browser

run: env ## The sand table on localhost (PORT=8501, STORE=demo); makes the sample when there is none
	@$(BIN)/shapan serve --store $(STORE) --port $(PORT) $(if $(filter demo,$(STORE)),--demo)

test: dev browser lint types ## Checks and all tests but the long ones
	$(BIN)/python -m slipcover -m pytest -n 2 --dist loadgroup -m "not soak"

soak: dev browser ## The long versions: kill rounds, seeds, load
	$(BIN)/python -m pytest -m soak --timeout 7200

lint: dev ## ruff and the import contract
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: dev ## mypy --strict
	$(BIN)/mypy

bench: dev browser ## Benchmarks against peers, written to docs/benchmarks.md
	$(BIN)/python -m bench

screenshots: dev browser ## The pictures of the README and the guides, taken from the running app
	$(BIN)/python -m bench.screenshots

offline-bundle: env ## dist/shapan-offline-VERSION.zip: all that a machine without network needs, for Linux and Windows
	$(BIN)/python scripts/offline_bundle.py

# Extras stay in the lock: without them pip 23 takes the newest `package` for `package[extra]` and refuses its own choice.
lock: dev ## The lock files from requirements.in and requirements-dev.in: versions and hashes, no addresses
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-strip-extras --python-version 3.11 requirements.in -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-strip-extras --python-version 3.11 requirements-dev.in -o requirements-dev.lock

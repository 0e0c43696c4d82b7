# Everything a developer types. Needs python3.11 or newer and nothing else: `.venv` makes itself.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$p; done))
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP = $(VENV)/.runtime-$(shell cksum < requirements.txt | tr -d ' ')
DEV_STAMP = $(VENV)/.dev-$(shell cksum < requirements-dev.txt | tr -d ' ')
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
ARGS ?=

.PHONY: help run test check bench openapi lock clean

help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: $(RUN_STAMP) ## start everything, submit the demo brief, show what happens (ARGS="--brief FILE")
	@exec $(BIN)/python -m workers up $(ARGS)

test: $(DEV_STAMP) ## all tests but the benchmarks
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/benchmarks $(ARGS)

check: $(DEV_STAMP) ## lint, types and import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(DEV_STAMP) ## ratios against the bare libraries
	@$(BIN)/python -m tests.benchmarks $(ARGS)

openapi: $(RUN_STAMP) ## print the OpenAPI document
	@$(BIN)/python -m workers openapi

lock: $(DEV_STAMP) ## pin every dependency and its hashes anew
	@for file in "requirements.txt" "requirements-dev.txt --extra dev"; do \
		$(BIN)/uv pip compile pyproject.toml -o $$file --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-header --quiet; done

clean: ## remove what was built; the data folder stays
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis .schemathesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (PYTHON=...)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The development requirements contain the others, so either stamp serves `make run`.
$(RUN_STAMP): | $(VENV)/bin/python
	@if [ ! -e $(DEV_STAMP) ]; then \
		echo "Installing the requirements (once) ..." >&2; $(PIP) -r requirements.txt; fi
	@rm -f $(VENV)/.runtime-*; touch $@

$(DEV_STAMP): | $(VENV)/bin/python
	@echo "Installing the development requirements (once) ..." >&2
	@$(PIP) -r requirements-dev.txt
	@rm -f $(VENV)/.dev-* $(VENV)/.runtime-*; touch $@ $(RUN_STAMP)

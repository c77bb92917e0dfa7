# Everything runs in .venv, made from uv.lock by `make setup`; uv itself is fetched with pip where it is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# Trust whom the machine trusts: company networks have certificates of their own.
export UV_SYSTEM_CERTS ?= 1
# Without byte code on disk every process starts twice as slowly, and the tests start many.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup run up test test-slow check bench clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

setup: .venv/.made-from-lock ## Make the environment in .venv from uv.lock

.venv/.made-from-lock: uv.lock pyproject.toml | $(UV)
	@echo "Setting up .venv (a minute the first time) ..."
	@$(UV) sync --frozen --quiet
	@touch $@

.uv/bin/uv:
	@echo "Fetching uv $(UV_VERSION) ..."
	@$(PYTHON) -m venv .uv || { echo "$(PYTHON) cannot make virtual environments: install python3-venv, or uv" >&2; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'

run: setup ## Listen to a made-up world through Airflow, end to end: no keys, no network
	@$(BIN)/wom demo --airflow

up: setup ## Start Airflow with our DAGs; prints URL and login
	@$(BIN)/wom up

test: check ## Lint, types and the fast tests (some 6 minutes on 2 cores)
	@$(PYTEST) -n 2 --dist loadfile

test-slow: setup ## The heavy tests: a real scheduler, kills at random moments, long races
	@$(PYTEST) -m slow --durations 10

check: setup ## Lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

bench: setup ## Measure speed; prints ratios of one run
	@$(UV) sync --frozen --quiet --group bench
	@$(PYTEST) -m benchmark -s tests/benchmarks

clean: ## Remove what a run leaves: the environment, Airflow's database, caches (the lake stays)
	rm -rf .venv .uv .airflow .pytest_cache .ruff_cache .hypothesis

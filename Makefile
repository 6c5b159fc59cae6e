# Huitong 汇通. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help setup up down deploy status demo test test-unit test-e2e lint lint-checkov format bench bench-peers lock package package-check package-demo sbom audit drill pr clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STACK := $(BIN)/python localstack/stack.py
WORKERS ?= 2
# For up, down, demo and test-e2e: ministack or localstack; DOCKER=1 runs the latter in a container.
EMULATOR ?= ministack
export EMULATOR STACK_PORT LOCALSTACK_PYTHON
ifeq ($(DOCKER),1)
export HUITONG_STACK := external
export AWS_ENDPOINT_URL := http://127.0.0.1:$(or $(STACK_PORT),4566)
COMPOSE := docker compose -f localstack/compose.yaml
endif

help: ## This list
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Make .venv from requirements.lock (done by the others when needed)

# Every file is checked against its hash; the second time nothing is done unless the lock changed. uv takes a
# tenth of pip's time; where it does not reach the registry (settings that only pip reads), pip does all.
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed (found: $$($(PYTHON) --version)). Choose one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || test -x $(BIN)/pip || $(MAKE) --no-print-directory venv-of-debian
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the packages of requirements.lock into $(VENV) …"
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock >$(VENV)/uv.txt
	@$(PIP) --require-hashes -r $(VENV)/uv.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# Debian splits venv off into a package of its own.
.PHONY: venv-of-debian
venv-of-debian:
	@test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  || { echo "Python's venv is missing: sudo apt-get install python3-venv, then again"; exit 1; }
	@echo "installing Debian's python3-venv …"
	@apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null

# Nothing without DOCKER=1.
.PHONY: container
container:
	@$(if $(COMPOSE),$(COMPOSE) up -d --build --wait,:)

up: $(STAMP) container ## Start the local stack and deploy; leaves .stack/profile.json for .venv/bin/huitong
	@$(STACK) up

down: $(STAMP) ## Stop the local stack; MiniStack keeps its state
	@$(if $(COMPOSE),$(COMPOSE) down,$(STACK) down)

deploy: $(STAMP) ## Deploy what has changed to the local stack
	@$(STACK) deploy

status: $(STAMP) ## Where the local stack is
	@$(STACK) status

demo: $(STAMP) container ## Deliveries and one whole sharing, from application to termination
	@$(BIN)/python localstack/demo.py

test: test-unit test-e2e ## The whole suite

test-unit: $(STAMP) ## Everything that needs no stack
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not e2e" tests

test-e2e: $(STAMP) container ## On a local stack of its own
	@if ls tests/e2e/test_*.py >/dev/null 2>&1; then $(BIN)/python -m pytest -q -m e2e tests/e2e; else echo "no e2e tests yet"; fi

# What of the end-to-end tests CI repeats on LocalStack; all of them: make test-e2e EMULATOR=localstack
ON_LOCALSTACK ?= tests/e2e/test_stack.py tests/e2e/test_people_on_the_stack.py

test-localstack: $(STAMP) ## The plugins of localstack/host_mode, and a part of the end-to-end tests on LocalStack
	@status=0; python=$$($(BIN)/python localstack/host_environment.py) || status=$$?; \
	if [ $$status = 3 ]; then echo "LocalStack: skipped, no Python 3.12 or later here"; \
	elif [ $$status != 0 ]; then exit $$status; \
	else $$python -m pytest -q localstack/host_mode/tests && EMULATOR=localstack $(BIN)/python -m pytest -q -m e2e $(ON_LOCALSTACK); fi

athena: $(STAMP) ## Athena's API over the stack's query service, for analysts: docs/analysts.md
	@$(BIN)/python localstack/athena.py up

athena-credentials: $(STAMP) ## An AWS profile for it; PROFILE=… is the analyst's Huitong profile
	@$(BIN)/python localstack/athena.py credentials $(if $(PROFILE),--profile-file $(PROFILE))

# The emulator that leads: LocalStack evaluates no policies.
test-athena: $(STAMP) .venv-athena/.installed ## PyAthena, awswrangler and the AWS CLI on a stack of its own
	@EMULATOR=ministack $(BIN)/python -m pytest -q -m e2e tests/clients

.venv-athena/.installed: localstack/athena_clients.txt
	@test -x .venv-athena/bin/python || $(PYTHON) -m venv .venv-athena
	@.venv-athena/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r localstack/athena_clients.txt
	@touch $@

lock-athena: ## Resolve localstack/athena_clients.in anew into athena_clients.txt (with hashes)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url -o localstack/athena_clients.txt localstack/athena_clients.in

lint: $(STAMP) ## ruff, mypy, import rules, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@for folder in functions/*/; do MYPYPATH=layers/huitong/python:$$folder $(BIN)/mypy $$folder; done
	MYPYPATH=.:layers/huitong/python:localstack:infra/lint_rules $(BIN)/mypy infra localstack/*.py localstack/athena_endpoint
	$(BIN)/lint-imports --no-logo
	$(BIN)/cfn-lint -a infra/lint_rules -t template.yaml infra/second-site.yaml
	$(BIN)/python infra/write_routes.py --check
	$(BIN)/python infra/write_parameters.py --check

lint-checkov: $(STAMP) .venv-checkov/.installed ## Checkov's rules over the templates, in .venv-checkov
	@$(BIN)/python infra/checkov/check.py .venv-checkov/bin/checkov

.venv-checkov/.installed: infra/checkov/requirements.lock
	@test -x .venv-checkov/bin/python || $(PYTHON) -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r infra/checkov/requirements.lock
	@touch $@

format: $(STAMP) ## Put the code into form
	$(BIN)/ruff check --fix -q .
	$(BIN)/ruff format -q .

bench: $(STAMP) ## Ratios to a floor measured in the same run; BENCH=… adds arguments
	@$(BIN)/python -m benchmarks $(BENCH)

fanout: $(STAMP) ## ROWS rows compared in parts on a stack of its own, one worker killed (ROWS=10000000)
	@$(BIN)/python -m benchmarks.fan_out --rows $(or $(ROWS),1000000)

bench-peers: .venv-bench/.installed ## The tools that rules are compared with, in .venv-bench

.venv-bench/.installed: benchmarks/peers.txt
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r benchmarks/peers.txt
	@touch $@

.PHONY: lock-localstack test-localstack
lock-localstack: ## Resolve localstack/localstack.in anew into localstack.txt (with hashes)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.12 --no-header --no-annotate --no-emit-index-url --override localstack/localstack-overrides.txt -o localstack/localstack.txt localstack/localstack.in

lock: ## Resolve pyproject.toml anew into requirements.lock (with hashes)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --python-version 3.11 --no-header --no-annotate --no-emit-index-url -o requirements.lock pyproject.toml
	$(BIN)/python -m infra.packaging lock

PYTHON_VERSION ?= 3.13
PLATFORM ?= both
PACKAGING = $(BIN)/python -m infra.packaging --python $(PYTHON_VERSION) --platform $(PLATFORM)

package: $(STAMP) ## What Lambda runs, in build/package: PLATFORM=x86_64|arm64|both PYTHON_VERSION=3.13
	@$(PACKAGING) build

package-check: $(STAMP) ## The same built twice, compared
	@$(PACKAGING) check

package-demo: $(STAMP) ## The demo on LocalStack with functions as packaged, in a Python that has nothing else
	@$(BIN)/python -m infra.packaging --python $(PYTHON_VERSION) --platform x86_64 build
	@EMULATOR=localstack HUITONG_PACKAGE=python$(PYTHON_VERSION)-x86_64 $(BIN)/python localstack/demo.py

sbom: $(STAMP) ## Bill of materials (CycloneDX) and licences of what is packaged
	@$(PACKAGING) sbom

audit: $(STAMP) ## Known vulnerabilities of what is packaged; says so where no advisories can be had (status 3)
	@$(PACKAGING) audit $(AUDIT)

drill: $(STAMP) ## A deployment is lost and restored under other names; DRILL="--rows 20000" adds arguments
	@$(BIN)/python localstack/drill.py $(DRILL)

pr: lint test ## What CI runs

clean: ## Remove caches and build output, not .venv nor the state of the stack
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

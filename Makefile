# What can be done in this checkout. `make` alone shows the list.
# All of it runs in .venv, made from uv.lock; nothing is installed outside this folder,
# but for the Debian packages `make test` adds when root runs it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

UV_VERSION := 0.13.9
BIN := .venv/bin
UV := .uv/bin/uv
#: Files that say what must be in .venv.
LOCK := pyproject.toml uv.lock
#: Only the interpreter that is there is used; uv would fetch another one otherwise.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV

#: Processes that run the tests side by side; much of their time is waiting.
WORKERS := 2

.PHONY: help setup demo test quick check format ui ui-types ui-check bench soak clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: .venv/.made-from-lock ## Make .venv from uv.lock; does nothing when it is up to date

demo: setup ## Run a whole campaign on this machine; REVIEW=manual to press Send yourself, PORT=, DEMO_HOME=
	@$(BIN)/smsflow demo $(if $(REVIEW),--review $(REVIEW)) $(if $(PORT),--port $(PORT)) $(if $(DEMO_HOME),--home $(DEMO_HOME))

test: setup ## Run every test; TESTS= names some, WORKERS= says how many at once, SMSFLOW_REQUIRE_ALL=1 forbids skipping
	@.ci/debian-packages
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(TESTS)

quick: setup ## Run the tests that need no server, with few examples of each property
	@SMSFLOW_QUICK=1 $(BIN)/pytest -q tests/core tests/contract tests/architecture --ignore=tests/architecture/test_wheel.py

check: setup ## Lint, types, import rules, spelling; of the dashboard too where ui/node_modules is
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/codespell
	@! .ci/ui has-node || .ci/ui check

format: setup ## Format the code and apply the safe fixes
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

ui: ## Build the dashboard into the package; needs Node 20.12 or newer, which users of the package do not
	@.ci/ui need-node
	@cd ui && npm run -s build

ui-types: setup ## Write the OpenAPI document, and the dashboard's types from it
	@.ci/ui need-node
	@$(BIN)/python -W ignore -m tests.ui.openapi ui/openapi.json
	@cd ui && npm run -s types

ui-check: setup ## Check and test the dashboard; prove that its bundle and its types are what the sources make
	@.ci/ui need-node
	@.ci/ui check
	@.ci/ui test
	@.ci/ui prove

bench: setup ## Measure preparing, sending, receipts, audiences and pages; fails when a limit of theirs is missed
	@shopt -s nullglob; failed=0; $(BIN)/smsflow bench prepare --judge --rounds 3 || failed=1; \
	$(BIN)/smsflow bench send --judge || failed=1; \
	$(BIN)/smsflow bench receipts --judge || failed=1; \
	$(BIN)/smsflow bench audience --judge || failed=1; \
	$(BIN)/smsflow bench dashboard --judge || failed=1; \
	for script in tests/bench/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script" || failed=1; done; \
	exit $$failed

soak: setup ## Kill everything around a delivery at random moments, and count; SEED= repeats one, ONLY= names one
	@.ci/debian-packages
	@$(BIN)/python -m tests.soak.run $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only "$(ONLY)")

clean: ## Stop the demo if it runs; delete .venv, .uv, caches and the demo's files
	@if [ -x $(BIN)/smsflow ]; then $(BIN)/smsflow demo --remove $(if $(DEMO_HOME),--home $(DEMO_HOME)); fi
	@rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist ui/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.made-from-lock: $(LOCK) .uv/.version-$(UV_VERSION)
	@$(UV) sync --quiet --frozen --all-extras --compile-bytecode --python "$$(.ci/python)"
	@touch $@

.uv/.version-$(UV_VERSION):
	@python="$$(.ci/python)"; \
	rm -rf .uv; \
	"$$python" -m venv .uv || { rm -rf .uv; \
	  echo "make setup: $$python cannot make an environment; on Debian: apt-get install python3-venv" >&2; exit 1; }; \
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

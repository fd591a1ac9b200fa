# Everything sets itself up; nothing needs the network but the package registries. `make help` lists the recipes.
SHELL := /bin/bash
# The first interpreter that really runs and can make a virtual environment (a shim may stand for none).
PYTHON ?= $(shell for v in 3.12 3.13 3.11 3.14 3; do python$$v -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo python$$v && break; done)
BIN := .venv/bin

# pip tells each package as it collects it: that is the progress. On a terminal one line, elsewhere a line now and then.
define install
	@total=$$(grep -cE '^[A-Za-z0-9._-]+==' $(1)); test -t 1 && live=1 || live=0; \
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --no-deps --require-hashes -r $(1) \
	| awk -v total=$$total -v live=$$live -v lock=$(1) \
	'/^(Collecting|Requirement already)/ {n++; if (live) printf "\r  %s: %d of %d packages", lock, n, total; \
	else if (n % 40 == 0) printf "  %s: %d of %d packages\n", lock, n, total; fflush()} \
	/^Installing/ {printf "%s  %s: installing ...%s", live ? "\r" : "", lock, live ? "          " : "\n"; fflush()} \
	END {if (live) print ""}'; exit $${PIPESTATUS[0]}
endef

.DEFAULT_GOAL := help
.PHONY: help demo test check unit contract integration e2e bench model lock clean format

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: .venv/runtime ## Transcribe the sample calls with the real model, end to end
	$(BIN)/razgovor demo

test: check unit contract integration e2e ## Everything a change must pass

check: .venv/dev ## Format, lint, types, import law
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/dev ## Fast tests: no network, no servers
	$(BIN)/pytest -n 2 tests/unit

contract: .venv/dev ## Schemas, and one suite over each port's fake and real
	$(BIN)/pytest tests/contract

integration: .venv/dev model ## Adapters against their real peers
	$(BIN)/pytest tests/integration

e2e: .venv/dev model ## The whole stack as a black box
	$(BIN)/pytest tests/e2e

bench: .venv/dev model ## Peak memory of each service; with AUDIO=folder also WER against bare faster-whisper
	$(BIN)/python bench/memory.py
	$(if $(AUDIO),$(BIN)/python bench/wer.py --audio $(AUDIO) --model $$($(BIN)/python -c 'import os; from razgovor.cache import cache_folder; print(cache_folder(os.environ) / "models" / "base")'))

model: .venv/runtime ## Whisper base into the user's cache (150 MB, once)
	$(BIN)/razgovor models get base

format: .venv/dev ## Put everything into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Lock the closures anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-package torch --no-emit-package torchaudio --no-emit-package razgovor --override requirements/overrides.txt pyproject.toml --extra local -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-package torch --no-emit-package torchaudio --no-emit-package razgovor --override requirements/overrides.txt -c requirements/runtime.txt pyproject.toml --extra local --group dev -o requirements/dev.txt

clean: ## Remove what was made here (the model stays in the user's cache)
	rm -rf .venv bench/out .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Stamps: a changed lock is installed again, an unchanged one costs nothing.
.venv/runtime: requirements/runtime.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "razgovor needs Python 3.11 or newer with venv (Debian: apt install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(call install,requirements/runtime.txt)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements/dev.txt .venv/runtime
	$(call install,requirements/dev.txt)
	@touch $@

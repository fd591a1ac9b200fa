# Everything sets itself up; nothing needs the network but the package registries. `make help` lists the recipes.
SHELL := /bin/bash
# The first interpreter that really runs and can make a virtual environment (a shim may stand for none).
PYTHON ?= $(shell for v in 3.12 3.13 3.11 3.14 3; do python$$v -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo python$$v && break; done)
BIN := .venv/bin
PEERS ?= .peers
# Where this is set, every process compiles every module anew, and tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

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
.PHONY: help audit-deps demo test check unit contract integration integration-local peers peers-stop compose-check browser browser-tests page-check page-library pictures e2e chaos chaos-long bench-throughput schemathesis bench-front-door bench-transcriber bench-transcriber-scale bench-gpu bench bundle model lock clean format

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: .venv/runtime ## Transcribe the sample calls with the real model, end to end
	$(BIN)/razgovor demo

test: check page-check unit contract integration-local browser-tests e2e ## Everything a change must pass

check: .venv/dev ## Format, lint, types, import law
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/dev ## Fast tests: no network, no servers
	$(BIN)/pytest -n 2 tests/unit

contract: .venv/dev ## Schemas, and one suite over each port's fake and real
	$(BIN)/pytest tests/contract -m 'not peers'

integration-local: .venv/dev model ## Adapters against what the wheels bring: no Java, no servers
	$(BIN)/pytest tests/integration -m 'not peers'

# Starts the peers that do not run yet, and stops them again if it was us. ONLY=peers leaves out what `make test` runs.
integration: .venv/dev model ## All adapters against their real peers, none skipped
	@own=; if ! $(BIN)/razgovor peers status --folder $(PEERS) >/dev/null 2>&1; then own=1; fi; \
	trap 'test -z "$$own" || $(BIN)/razgovor peers stop --folder $(PEERS)' EXIT; \
	$(BIN)/razgovor peers start --install --folder $(PEERS) && \
	RAZGOVOR_PEERS=$(PEERS) RAZGOVOR_REQUIRE_PEERS=1 $(BIN)/pytest tests/contract tests/integration tests/e2e/test_up_on_peers.py $(if $(ONLY),-m $(ONLY))

peers: .venv/dev ## Real servers on loopback, without Docker: Kafka, registry, PostgreSQL, S3, SFTP
	$(BIN)/razgovor peers start --install --folder $(PEERS)

peers-stop: .venv/dev ## Stop them
	$(BIN)/razgovor peers stop --folder $(PEERS)

compose-check: .venv/dev ## compose/: the compose file, the Dockerfile, alerts and dashboard (needs Go and promtool)
	RAZGOVOR_REQUIRE_PEERS=1 $(BIN)/pytest tests/integration/compose

e2e: .venv/dev model ## The whole stack as a black box
	$(BIN)/pytest tests/e2e -m 'not peers'

browser: ## Chromium for the tests of the page: as root, by apt, if there is none
	@command -v chromium chromium-browser google-chrome >/dev/null || test -n "$$RAZGOVOR_BROWSER" || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	|| { echo "the tests of the page need Chromium: apt install chromium, or name one in RAZGOVOR_BROWSER"; exit 1; }

browser-tests: .venv/dev ## The page in a real browser (`make browser` gets one; without one they are skipped)
	$(BIN)/pytest tests/browser

# npm only for whoever works on the page; without it the check says so and passes.
PAGE := services/ingest/page
page-check: ## The page's modules by eslint, and the library against npm's (needs npm; says so and goes on without)
	@command -v npm >/dev/null || { echo "page-check: no npm here, so the page's modules are not linted"; exit 0; }; \
	cd $(PAGE) && npm ci --silent --ignore-scripts --no-audit --no-fund && npx --no-install eslint js && cmp node_modules/wavesurfer.js/dist/wavesurfer.esm.js vendor/wavesurfer.esm.js

page-library: ## Lock what the page takes from npm, and copy it in
	cd $(PAGE) && npm install --silent --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved
	cp $(PAGE)/node_modules/wavesurfer.js/dist/wavesurfer.esm.js $(PAGE)/vendor/
	cp $(PAGE)/node_modules/wavesurfer.js/LICENSE $(PAGE)/vendor/wavesurfer-LICENSE.txt

pictures: .venv/dev browser ## Draw the pictures of the page in docs/ anew
	$(BIN)/python -m tests.browser.pictures

bundle: .venv/dev model ## One tar for a machine without a network: dist/razgovor-VERSION-linux-MACHINE.tar
	$(BIN)/razgovor bundle

chaos: .venv/dev ## Break everything on purpose on real peers, and judge: the short form
	$(BIN)/razgovor chaos $(if $(FAULTS),--faults $(FAULTS)) $(if $(SEED),--seed $(SEED)) $(if $(PATIENCE),--patience $(PATIENCE))

chaos-long: .venv/dev ## The long form, for a quiet machine: 10,000 calls and 200 kills at least
	$(BIN)/razgovor chaos --long $(if $(SEED),--seed $(SEED))

schemathesis: .venv/dev ## What three clients send and are answered, by the API's own description: the totals
	$(BIN)/python -m tests.integration.ingest.fuzzing

bench-throughput: .venv/dev ## Jobs per second through all four services on real peers, and what the time goes to
	$(BIN)/python bench/throughput.py

bench-transcriber: .venv/dev model ## Ours against bare faster-whisper, in interleaved rounds; ROUNDS=7, AUDIO=folder of calls with references
	$(BIN)/python -m bench.transcriber $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(AUDIO),--audio $(AUDIO))

bench-transcriber-scale: .venv/dev model ## Memory over 1,000 calls and a call of 3 h; short calls beside a long one
	$(BIN)/python -m bench.transcriber.memory
	$(BIN)/python -m bench.transcriber.fairness

bench-front-door: .venv/dev ## Uploads against a bare FastAPI, memory over 10,000 of them, 1,000 slow sockets
	$(BIN)/python -m bench.front_door $(if $(QUICK),--quick)

bench-gpu: .venv/dev ## What the GPU here carries: turbo and large-v3 of true shape, random weights
	$(BIN)/python -m bench.gpu

bench: .venv/dev model ## Peak memory of each service, also for three hours; the front end; with AUDIO=folder (calls/, nonspeech/) also how right the words are
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/memory.py --hours 3
	$(BIN)/python bench/front_end.py
	$(if $(AUDIO),$(BIN)/razgovor eval $(AUDIO)/calls --silence $(AUDIO)/nonspeech --out bench/out/eval --lang en)

model: .venv/runtime ## Whisper base into the user's cache (150 MB, once)
	$(BIN)/razgovor models get base

format: .venv/dev ## Put everything into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit-deps: .venv/dev ## Known vulnerabilities of the locked packages, as far as PyPI and npm can be asked from here
	$(BIN)/python requirements/audit.py requirements/runtime.txt requirements/dev.txt
	$(BIN)/python requirements/audit_npm.py $(PAGE)

lock: ## Lock the closures anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-package torch --no-emit-package torchaudio --no-emit-package razgovor --override requirements/overrides.txt pyproject.toml --extra local -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-package torch --no-emit-package torchaudio --no-emit-package razgovor --override requirements/overrides.txt -c requirements/runtime.txt pyproject.toml --extra local --extra onnx --group dev -o requirements/dev.txt
	echo onnx-asr | uv pip compile -q --universal --python-version 3.11 --no-deps --generate-hashes --no-emit-index-url --no-annotate -c requirements/dev.txt - -o requirements/onnx.txt

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

.DEFAULT_GOAL := help
# Distributions build their Python with every optimization, version managers mostly with none.
SUITS := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for each in /usr/bin/python3 python3; do $$each -c '$(SUITS)' 2>/dev/null && echo $$each && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= .waymark
DATA ?=
UNFETCHED := { echo "A package could not be fetched; the line above says which. Behind a proxy set HTTPS_PROXY and, for a mirror, PIP_INDEX_URL, then run the same command again."; exit 1; }

##@ Use
.PHONY: run
run: install ## Install everything, start the stack, walk the journey, stay until Ctrl-C (DATA=dir for real files)
	$(BIN)/waymark run --home $(HOME_DIR) $(if $(DATA),--data $(DATA))

.PHONY: install
install: $(VENV)/.runtime ## Install everything the stack needs into this checkout
$(VENV)/.runtime: requirements.lock pyproject.toml deploy/kafka/jgo.lock.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Waymark needs Python 3.11 or newer; point PYTHON= at one")'
	@test -x $(BIN)/python || { echo "creating $(VENV) with $(PYTHON) (PYTHON= names another)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing Python packages (locked, hash-checked)"
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements.lock || $(UNFETCHED)
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q services proto/python
	@$(BIN)/waymark fetch
	@touch $@

##@ Check
# What one process of the tests has compiled the others read.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: test
test: $(VENV)/.dev ## Run every test against real PostgreSQL, Kafka, S3 and Envoy
	$(BIN)/pytest -n 4 $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## A million hostile inputs for each reader (ARGS="--examples 10000 wages"); what fails goes into the corpus
	$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: torture
torture: $(VENV)/.dev ## kill -9 of server, relay and consumer a thousand times under load: what was lost? (ARGS="--kills 60")
	$(BIN)/python -m tests.torture $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## Format, lint, types, import rules, buf lint and breaking, generated files fresh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m proto.generate --check

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "installing tools for tests and checks (locked, hash-checked)"
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock || $(UNFETCHED)
	@touch $@

.PHONY: format
format: $(VENV)/.dev ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

##@ Develop
.PHONY: proto
proto: $(VENV)/.dev ## Lint the contracts and generate code, descriptor set and documents from them
	$(BIN)/python -m proto.generate

.PHONY: lock
lock: ## Resolve and lock every dependency with hashes (needs uv)
	uv pip compile requirements.in -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements.lock
	uv pip compile requirements-meaning.in -c requirements.lock -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements-meaning.lock
	uv pip compile requirements-dev.in -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements-dev.lock

.PHONY: sbom
sbom: $(VENV)/.runtime ## Write the bill of materials of the locked packages and jars: sbom.cdx.json (CycloneDX 1.6)
	$(BIN)/waymark sbom > sbom.cdx.json

##@ Measure
BENCHES = $(addprefix bench-,redeem events search relevance footprint tags verify export ledger surge import shortage redeem-scale portfolio)
.PHONY: bench $(BENCHES)
bench: $(VENV)/.dev ## Run every benchmark (one: make bench-surge ARGS="--people 3000"); fails at the end where goals were missed
	@missed=; for each in $(BENCHES); do $(MAKE) --no-print-directory $$each || missed="$$missed $$each"; done; \
	test -z "$$missed" || { echo "missed goals:$$missed"; exit 1; }
$(BENCHES): bench-%: $(VENV)/.dev
	$(BIN)/python -m bench.$(subst -,_,$*) $(ARGS)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*##/ {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two commands do all on a fresh machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN_STAMP := $(VENV)/.installed-to-run
KERNEL := stream/kernel
KERNEL_SOURCES := $(wildcard $(KERNEL)/Cargo.* $(KERNEL)/src/*.rs)

.DEFAULT_GOAL := help

.PHONY: help setup demo test test-kafka test-chaos test-alerts test-deploy test-page fuzz lint format bench bench-alerts lock clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(STAMP) ## make .venv and install the project from the lock file

$(STAMP): requirements.lock pyproject.toml $(KERNEL_SOURCES)
	$(call install,requirements.lock)
	@command -v cargo >/dev/null || echo "note: no Rust compiler (cargo) here, so the worker goes without its compiled kernel, at less than half the speed"
	@touch $@ $(RUN_STAMP)

# For a first look: without linters, browsers and fuzzers, and without compiling the kernel, which
# takes longer than it saves there.
$(RUN_STAMP): requirements-run.lock pyproject.toml $(KERNEL_SOURCES)
	$(call install,requirements-run.lock,CARGO=false)
	@touch $@

define install
@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found: install it, or run make PYTHON=python3"; exit 1; }
$(PYTHON) -m venv $(VENV)
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
$(2) $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endef

demo: $(RUN_STAMP) ## see it work: broker, worker and a simulated shop in one go (ARGS="--scenario retention-drop")
	$(BIN)/retention-stream demo $(ARGS)

test: setup ## unit, property and integration tests on the embedded broker
	@scripts/run_tests.sh $(ARGS)

test-kafka: setup ## the same contracts against a real Apache Kafka (needs Java 17 and mvn)
	$(BIN)/python -m pytest -m kafka $(ARGS)

test-chaos: setup ## three workers killed, paused and cut off, on Apache Kafka (ARGS="--chaos-full": hours)
	@scripts/run_chaos.sh $(ARGS)

test-alerts: setup ## the alerting rules in a real Prometheus (fetches Debian's packages)
	scripts/install_prometheus.sh
	$(BIN)/python -m pytest -m prometheus $(ARGS)

test-deploy: setup ## compose, Dockerfile, Helm chart and dashboards against the real programs
	scripts/install_deploy_tools.sh $(PYTHON)
	scripts/install_prometheus.sh
	$(BIN)/python -m pytest -m deploy tests/deploy $(ARGS)

test-page: setup ## the live page in Debian's Chromium, and a demo up to its alert (needs npm; installs Chromium as root)
	scripts/install_chromium.sh
	scripts/vendor_page_assets.sh --fetch-only
	$(BIN)/python -m pytest -m page tests/page tests/integration/test_demo.py $(ARGS)

fuzz: setup ## bytes made up for five minutes, guided by coverage (ARGS="--seconds 3600")
	$(BIN)/python -m tests.fuzz $(ARGS)

lint: setup ## ruff, mypy --strict, import-linter; rustfmt and clippy where there is cargo
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v cargo >/dev/null; then set -ex; \
		cargo fmt --manifest-path $(KERNEL)/Cargo.toml --check; \
		cargo clippy --quiet --locked --release --manifest-path $(KERNEL)/Cargo.toml -- -D warnings; \
	else echo "note: no cargo here, so the kernel's sources were not checked"; fi

format: setup ## let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@! command -v cargo >/dev/null || cargo fmt --manifest-path $(KERNEL)/Cargo.toml

bench-alerts: setup ## what the alerts find in simulated shops, written to docs/alerting.md (half an hour)
	$(BIN)/python -m tests.benchmarks.alerting $(ARGS)

bench: setup ## ours and its peers, written to docs/performance.md (Java 17, mvn; hours)
	scripts/install_peers.sh
	$(BIN)/python -m tests.benchmarks $(ARGS)

lock: ## resolve the dependencies again
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra build --constraint requirements.lock pyproject.toml -o requirements-run.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url scripts/deploy-tools.in -o scripts/deploy-tools.lock
	@sed -i '1,2c# Made by `make lock`.' requirements.lock requirements-run.lock scripts/deploy-tools.lock

clean: ## remove what make made
	rm -rf $(VENV) build dist .cache *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis $(KERNEL)/target $(KERNEL)/*.so

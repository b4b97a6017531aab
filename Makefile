# The verbs of the house. CI calls these and nothing else. `make help` lists them.
# ECHO_* variables and CARGO_TARGET_DIR are passed through.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo run check test kills bench bench-knowledge models up down clean

DEV := deploy/dev
LABELLED ?= ../shared/datasets

help: ## this list
	@echo "Echo: software that talks to people by phone"; echo
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: ## start Echo, ring a customer, show the conversation and the signed webhook, keep serving
	@$(DEV)/need-build-tools
	@cargo build --locked -p echo-standalone
	@exec "$$($(DEV)/target-dir)/debug/echo-standalone" demo

run: ## serve the embedded Echo in the foreground
	@$(DEV)/need-build-tools
	@cargo build --locked -p echo-standalone
	@exec "$$($(DEV)/target-dir)/debug/echo-standalone" serve

check: ## format, lints, docs, dependency, proto, architecture and deployment checks
	@$(DEV)/need-build-tools
	cargo fmt --all --check
	$(DEV)/check-architecture
	$(DEV)/check-dependencies
	$(DEV)/check-deploy
	$(DEV)/check-kubernetes
	cargo test --locked --quiet --workspace --test proto_lint
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p echo-knowledge-service --features minilm --lib -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

test: ## everything, on SQLite + in-process bus and on PostgreSQL + RabbitMQ
	@$(DEV)/need-build-tools
	@$(DEV)/need-test-tools
	@cargo build --locked --workspace --bins
	@$(DEV)/with-servers cargo test --locked --workspace --no-fail-fast
	@cargo test --locked -p echo-knowledge-service --features minilm --lib embedder
	@$(DEV)/tests/compose
	@$(DEV)/tests/stack

kills: ## of the tests only those that kill processes and servers in the middle of calls
	@$(DEV)/need-build-tools
	@$(DEV)/need-test-tools
	@cargo build --locked --workspace --bins
	@$(DEV)/with-servers cargo test --locked -p echo-standalone --test kills

bench: ## speed and memory, printed as a table
	@$(DEV)/need-build-tools
	@$(DEV)/with-servers $(DEV)/bench
	@cargo bench --locked --quiet -p echo-knowledge-service --bench speed

bench-knowledge: ## how well documents are ranked: nDCG@10, recall@10 and hit@5 on labelled sets (LABELLED=folder)
	@$(DEV)/need-build-tools
	@cargo bench --locked --quiet -p echo-knowledge-service --features minilm --bench quality -- "$(abspath $(LABELLED))" "$(abspath $(or $(ECHO_MODELS_DIR),models))"

models: ## fetch the model that says what documents mean, about 90 MB (ECHO_MODELS_DIR, else models/)
	@$(DEV)/models

up: ## the distributed stack on this machine: five services and the sandbox carrier over RabbitMQ and PostgreSQL
	@$(DEV)/need-build-tools
	@cargo build --locked --workspace --bins
	@$(DEV)/up

down: ## stop what `make up` started
	@$(DEV)/down

clean: ## remove build products (data is kept)
	cargo clean

# What a person or a machine does with this repository. `make` explains itself.

GO        ?= go
FUZZTIME  ?= 30s
BENCHTIME ?= 1s
PACKAGES  ?= ./...
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# A pinned linter, run through the Go module proxy where it is not installed.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help demo build test test-matrix test-matrix-mysql faults race vet lint bench bench-check bench-report peers peers-mysql scale fuzz

help: ## say what there is
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## make a shop, mask it, and show before and after; needs nothing but Go
	$(GO) run ./cmd/sanitize demo

build: ## build bin/sanitize, one file without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/sanitize ./cmd/sanitize

test: ## run every test, against real servers: found, started or installed
	$(GO) test -timeout 30m ./...

test-matrix: ## copy between PostgreSQL 12 to 18, fetched from npm and Debian, and from standbys; VERSIONS="15 18" for some
	GO="$(GO)" connectors/connectortest/servers/matrix $(VERSIONS)

test-matrix-mysql: ## copy between MariaDB 10.5 to 11.8 and MySQL 5.7 to 9, fetched from Debian and Ubuntu, and from replicas; VERSIONS="mariadb-10.5 mysql-9"
	GO="$(GO)" connectors/connectortest/servers/matrix-mysql $(VERSIONS)

# vet has seen the same files: make lint and make test call it.
race: ## run every test with the race detector; PACKAGES=… for some of them, TESTFLAGS=-short without those about values
	$(GO) test -race -vet=off $(TESTFLAGS) -timeout 45m $(PACKAGES)

faults: ## every fault before and after every effect, and 200 runs killed at random moments on each server; FAULTS_KILLS=…, FAULTS_SEED=…
	FAULTS=all $(GO) test ./pipeline -run '^TestFaults(MySQL)?$$' -v -count 1 -timeout 180m
	FAULTS_KILLS=$${FAULTS_KILLS:-200} FAULTS_SEED=$${FAULTS_SEED:-$$(date +%s)} \
		$(GO) test -race ./cmd/sanitize -run '^TestKill(Postgres|MySQL)$$' -v -count 1 -timeout 120m

vet: ## what the compiler's friend says
	$(GO) vet ./...

lint: ## formatting, vet, and golangci-lint if it is installed, else staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	@if command -v golangci-lint >/dev/null; then \
		echo golangci-lint run; golangci-lint run; \
	else \
		echo $(GO) run $(STATICCHECK) ./...; $(GO) run $(STATICCHECK) ./...; \
	fi

bench: ## measure the hot path in memory, and end to end
	$(GO) test ./benchmarks -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 30m

bench-check: ## fail if the hot path allocates per row, or is slower than its budget
	$(GO) test ./benchmarks -run '^$$' -bench '^BenchmarkHotPathBudget$$' -benchtime 1x

bench-report: ## measure every transform beside what one would do otherwise; write the table in benchmarks/README.md
	$(GO) test ./masking -run '^$$' -bench '^BenchmarkVariants$$' -benchtime 50ms -count 5 -timeout 30m > .bench-report.txt
	$(GO) run ./benchmarks/report benchmarks/README.md < .bench-report.txt
	@rm -f .bench-report.txt

peers: ## measure whole runs beside pg_dump, pgcopydb and others; PEERS_GB=3.8, ROUNDS=1 (about 15 minutes)
	benchmarks/peers/run

peers-mysql: ## the same between two MariaDB servers, beside mysqldump and mydumper; PEERS_GB=2 (about 10 minutes)
	PEERS_GB=$${PEERS_GB:-2} PEERS_OUT=$${PEERS_OUT:-benchmarks/results/peers-mysql.md} benchmarks/peers/run maria

scale: ## measure how a run grows with bytes, tables, partitions and rows; SCALE_GB="0.25 1 4", SCALE_ROWS=5000000
	benchmarks/peers/run scale

fuzz: ## let every fuzz target run for FUZZTIME (30s)
	@set -e; for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; \
		done; \
	done

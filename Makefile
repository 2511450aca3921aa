# `make` lists what there is; the text behind ## is the help.

GO          ?= go
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

FUZZTIME ?= 10s
ARGS     ?=

.DEFAULT_GOAL := help
.PHONY: help demo build test browser race check lint bench costs fuzz cover

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## run hookd between a simulated forge and a simulated Drone (ARGS="--headless")
	$(GO) run ./cmd/hookd demo $(ARGS)

build: ## build bin/hookd
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/hookd ./cmd/hookd

test: ## run every test, in random order
	$(GO) test -shuffle=on ./...
	cd deploy/test && $(GO) test -count=1 -shuffle=on ./... # uncached: the cache does not see files outside a module

browser: ## run the dashboard's test in Chromium, which fails where there is none
	CI=true $(GO) test -count=1 -v -run Browser ./handlers/dashboard

race: ## run every test under the race detector
	$(GO) test -race -shuffle=on ./...

check: ## format, vet, staticcheck
	@out=$$($(GO) run $(GOFUMPT) -l .) && if [ -n "$$out" ]; then \
		echo "not formatted (run: $(GO) run $(GOFUMPT) -w .):"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	cd deploy/test && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

lint: ## golangci-lint, which takes minutes to build the first time
	$(GO) run $(GOLANGCI) run ./...

bench: ## run the benchmarks of every room, the big ones (a million jobs, a file of 1 GiB) too
	HOOKD_BENCH_BIG=1 $(GO) test -run '^$$' -bench . -benchmem ./...

costs: ## count forge calls at 500 members and 2,000 repositories, which takes long (ARGS=-update for the README)
	$(GO) test ./syncqueue/reconcile -count=1 -timeout 60m -run 'WhatEachKindOfChangeCosts' -large $(ARGS)
	$(GO) test ./syncqueue/reconcile -count=1 -run 'ReadmeTellsTheCosts' $(ARGS)

fuzz: ## fuzz every target for FUZZTIME (10s)
	@$(GO) list ./... | while read -r pkg; do \
		for target in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$pkg" || exit 1; \
		done; \
	done

cover: ## write cover.html
	$(GO) test -coverpkg=./... -coverprofile=cover.out ./...
	$(GO) tool cover -html=cover.out -o cover.html
	$(GO) tool cover -func=cover.out | tail -n 1

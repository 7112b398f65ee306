# deskhand: `make` lists what there is to do.

GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help demo build test bench lint cover docs fuzz

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## See deskhand at work: simulator, repository, daemon and a story
	bin/deskhand demo

build: ## Build bin/deskhand, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/deskhand ./cmd/deskhand

test: ## Run all tests under the race detector
	go test -race ./...

bench: ## Measure whole jobs beside their floor, in one table
	go run ./cmd/bench

lint: ## Check format, modules, vet and golangci-lint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these files'; exit 1; }
	go vet ./...
	go mod tidy -diff
	$(GOLANGCI) run

cover: ## Measure what the tests cover, in coverage.out
	go test -coverpkg=./... -coverprofile=coverage.out ./...
	@go tool cover -func=coverage.out | tail -1

docs: ## Write the generated pages of docs/ anew
	go test -run UpToDate ./cmd/deskhand ./configs ./policy ./reconciler/metrics -update

fuzz: ## Run every fuzz target for FUZZTIME (10s), and the model over new histories
	go test -count=1 -run '^TestModel$$' ./reconciler -rapid.seed 0 -rapid.checks 300
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

# The commands that people and CI share. `make test` is the README's test command.

GO ?= go
LINT = $(GO) tool -modfile=tools/go.mod golangci-lint
ACTIONLINT = $(GO) tool -modfile=tools/go.mod actionlint
FUZZTIME ?= 10s

.PHONY: test race lint fmt bench contest fuzz gate build clean

## test: everything that `go test` finds, e2e included
test:
	$(GO) test -timeout 45m ./...

## race: the same under the race detector
race:
	$(GO) test -race -timeout 90m ./...

## lint: formatting, vet and linters, of workflows and scripts too
lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt these files:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(LINT) run
	$(ACTIONLINT) .github/workflows/*.yml docs/examples/github-workflow.yml
	@if command -v shellcheck >/dev/null; then shellcheck $$(git ls-files '*.sh'); else echo "no shellcheck is here: the scripts are not linted"; fi

## fmt: format the code
fmt:
	$(LINT) fmt

## gate: prove the shipped stack
gate:
	$(GO) run ./ci

## bench: the figures of README and docs/performance.md; REV=main compares the command with that revision's
bench:
ifdef REV
	$(GO) run ./bench --compare $(REV)
else
	$(GO) test -run '^$$' -bench . -benchmem -timeout 2h ./...
endif

## contest: panelgate beside its peers, on a thousand dashboards
contest:
	$(GO) run ./bench

## fuzz: each fuzz target for FUZZTIME; failing inputs stay in testdata/fuzz
fuzz:
	.ci/fuzz $(FUZZTIME)

## build: the command as one binary
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/panelgate ./ci

clean:
	rm -rf bin

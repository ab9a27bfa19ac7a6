# The commands of this repository. `make` alone lists them.

PORT ?= 8080
# What a build calls itself, and where it goes.
VERSION ?= dev
BIN ?= bin/countinghouse
# For how many seconds each fuzz target runs.
FUZZ ?= 60
# For how long sqlmap looks.
MINUTES ?= 10
# For how long things are broken, each kind once at least, and what chance is drawn from: 0 for a new seed.
FOR ?= 5m
SEED ?= 0
# Without a repository that git trusts (a tarball, another user's clone) Go cannot stamp the commit.
VCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)
STATICCHECK = "$$(go -C internal/tools tool -n staticcheck)"
MODULES = find . -mindepth 2 -name go.mod -not -path './.*' -not -path './data/*' -not -path './internal/tools/*' -not -path './secrets/realvault/*' -not -path './charts/*'

.PHONY: help run demo build vault test chaos pages pictures fuzz scan sqlmap bench lint baseline clean packages

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build $(if $(VAULT),vault) ## Run everything on this machine, on http://localhost:8080 (or PORT=...); VAULT=1: with keys in a Vault.
	bin/countinghouse dev --port=$(PORT) $(if $(VAULT),--keyring=vault)

demo: build $(if $(VAULT),vault) ## The same, with an organization that has a history.
	bin/countinghouse dev --demo --port=$(PORT) $(if $(VAULT),--keyring=vault)

build: ## Build bin/countinghouse.
	CGO_ENABLED=0 go build -trimpath -buildvcs=$(VCS) -ldflags='-s -w -buildid= -X main.version=$(VERSION)' -o $(BIN) ./cmd/countinghouse

# Where VAULT_ADDR is set, that Vault is used, and none is built. It takes minutes the first time.
vault:
	$(if $(VAULT_ADDR),,go -C secrets/realvault build -trimpath -buildvcs=false -o ../../bin/realvault .)

# GOGC: memory is there, and the detector makes collecting slow. Vetting is make lint's.
# Modules of their own test the program that they build, which the test cache does not see: -count=1. The Vault that
# secrets/vaulttest runs is built by it, without the race detector: with it that takes many minutes for nothing of ours.
# The same holds for Helm, which charts/charttest renders the chart with.
test: packages ## Run all tests with the race detector; as root on Debian, install what they need.
	CGO_ENABLED=1 GOGC=400 go test -race -vet=off -timeout 25m ./...
	@for module in $$($(MODULES)); do \
		echo "tests of $${module%/go.mod}"; \
		(cd "$${module%/go.mod}" && CGO_ENABLED=1 GOGC=400 go test -race -count=1 -timeout 15m ./...) || exit 1; \
	done
	@echo "tests of ./charts/charttest"
	@cd charts/charttest && go vet ./... && go test -count=1 -timeout 15m ./...

packages:
	@.ci/packages

chaos: $(if $(VAULT),vault) ## Break what the service stands on under load, for a while (FOR=5m, SEED=...); VAULT=1: its Vault too.
	go run -buildvcs=$(VCS) ./internal/chaos -for $(FOR) -seed $(SEED) $(if $(VAULT),-vault bin/realvault)

pages: packages ## Look at every page with axe in Chromium, in light and dark, narrow and wide; pictures go to .cache/pictures.
	cd web/browser && go test -count=1 -tags pages -timeout 30m -run TestEveryPage -v .

pictures: packages ## Draw the pictures of the guides in docs/ anew.
	cd web/browser && go test -count=1 -tags guide -timeout 10m -run TestPicturesOfTheGuides . -args -guide ../../docs

fuzz: ## Run every fuzz target for a minute (or FUZZ=... seconds).
	.ci/fuzz $(FUZZ)

scan: ## Look for holes in what is linked and for secrets, and list the parts (SBOM).
	.ci/scan

sqlmap: ## Have sqlmap look for SQL injection at the running service (MINUTES=... in all).
	.ci/sqlmap $(MINUTES)

bench: ## Measure against a private PostgreSQL, and the keyring against a real Vault.
	go run -buildvcs=$(VCS) ./bench
	go test -run '^$$' -bench Reports -benchtime 9x ./billing/report
	cd secrets/vaulttest && go test -run '^$$' -bench .

lint: ## Check format, go vet and staticcheck.
	@unformatted=$$(gofmt -l $$(go list -f '{{.Dir}}' ./...) | sort -u); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(STATICCHECK) ./...

baseline: ## Write migrations/baseline.sql anew from the migrations.
	go run -buildvcs=$(VCS) ./internal/baseline migrations/baseline.sql

clean: ## Remove what was built and measured; the books in data/ stay.
	rm -rf bin .cache bench/results

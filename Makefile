# Everything from nothing but Python 3.11+ and the package index; `make help` lists the targets.

PYTHON ?= python3
MINUTES ?= 30
VENV := .venv
BIN := $(VENV)/bin
UV := .cache/uv/bin/uv
READY := $(VENV)/.ready

.PHONY: help setup demo sandbox portal test bare check hooks journeys clients bench bench-full bench-memory bench-sizes bench-list bench-publish bench-outbox bench-audit bench-serve check-deploy docs chaos chaos-short drill drill-short failover preflight-picture dashboard-picture portal-picture lock dist image release clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort | expand -t 14

setup: $(READY)  ## make .venv from the lock file, with PostgreSQL and SeaweedFS binaries

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with make PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(READY): $(UV) pyproject.toml registry/sandbox/pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --python $(PYTHON) --extra sandbox --group dev
	@touch $@

demo: $(READY)  ## start a local federation, tour the main job, stop it
	$(BIN)/registry sandbox demo

sandbox: $(READY)  ## start a local federation and leave it running until Ctrl-C
	$(BIN)/registry sandbox up

portal: $(READY)  ## open the local portal of the sandbox that runs, in a browser
	$(BIN)/registry sandbox portal

test: $(READY)  ## run the tests on real PostgreSQL and SeaweedFS, but for those that take long
	HYPOTHESIS_EXAMPLES=10 $(BIN)/python -m pytest -n 3 --dist loadfile -p no:schemathesis \
	  -m "not journey and not process and not long" --ignore tests/conformance/test_schemathesis.py $(PART)

bare:  ## `make demo` and `make test` as an ordinary user, on a Debian with no compiler (as root)
	.ci/bare all

check: $(READY)  ## what CI runs: format, lint, spelling, types, walls, all tests with coverage
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports
	HYPOTHESIS_EXAMPLES=100 \
	  $(BIN)/python -m pytest -n 3 --dist loadfile --cov --cov-report=term:skip-covered

hooks: $(READY)  ## judge each commit as CI will, but for what is slow
	$(BIN)/pre-commit install

journeys: $(READY)  ## whole-service journeys on gunicorn, longer than in `make check`
	JOURNEY_KILLS=1000 JOURNEY_REPORT=docs/durability.md JOURNEY_STAGES=50 \
	  JOURNEY_PUBLICATIONS=20000 JOURNEY_MESSAGES=1000000 \
	  $(BIN)/python -m pytest --capture=no tests/journeys -m journey

clients: $(READY)  ## generate clients from the OpenAPI documents (Java and Node are needed), drive them
	$(BIN)/python -m tests.clients

bench: $(READY)  ## promises about scale on 1,000,000 messages, beside peers: 15 minutes, docs/benchmarks
	$(BIN)/python -m tests.bench.scale --kind bench $(BENCH)

bench-full: $(READY)  ## the same on 10,000,000 messages: an hour
	$(BIN)/python -m tests.bench.scale --kind bench-full --messages 10000 --messages 10000000 $(BENCH)

bench-memory: $(READY)  ## memory of the workers under 30 minutes of mixed load; MINUTES=5 for less
	$(BIN)/python -m tests.bench.scale --kind bench-memory --messages 100000 --memory $(MINUTES) $(BENCH)

bench-sizes: $(READY)  ## bytes a message of each table and index, of 100,000 messages; ends with 1 above 1,600
	$(BIN)/python -m tests.bench.scale.sizes $(BENCH)

bench-list: $(READY)  ## CPU per request of a listing beside the least it could cost
	$(BIN)/python -m tests.bench.listing

bench-publish: $(READY)  ## memory, throughput and SQL statements of publications
	$(BIN)/python -m tests.bench.publishing

bench-outbox: $(READY)  ## events told a second, and listings while expired messages are purged
	$(BIN)/python -m tests.bench.outbox

bench-audit: $(READY)  ## what the audit trail costs a listing, how fast it is sealed, verified, searched; of BENCH_ENTRIES
	$(BIN)/python -m tests.bench.audit

chaos: $(READY)  ## fail every neighbour in every way, and besiege the door with slow clients
	$(BIN)/python -m tests.chaos --report docs/resilience.md

chaos-short: $(READY)  ## the worst of it, within three minutes
	$(BIN)/python -m tests.chaos --short

preflight-picture: $(READY)  ## docs/preflight.png: the page of a sandbox that runs, by Debian's chromium
	$(BIN)/registry sandbox exec -- $(BIN)/registry preflight --html .sandbox/preflight.html
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1150,1640 \
	  --screenshot=docs/preflight.png "file://$(CURDIR)/.sandbox/preflight.html" 2>/dev/null

dashboard-picture: $(READY)  ## docs/dashboard.png: deploy/grafana over a sandbox in use, by Debian's prometheus
	$(UV) run --quiet --no-sync --with 'matplotlib>=3.9,<4' python -m tests.dashboard

portal-picture: $(READY)  ## docs/portal.png and portal-360.png: the local portal of a sandbox, by Debian's chromium
	$(BIN)/python -m tests.portal.picture

drill: $(READY)  ## lose the database of a sandbox under load, restore it, and write what was lost
	$(BIN)/registry drill restore --report docs/durability.md

drill-short: $(READY)  ## the same with less load, within 90 seconds
	$(BIN)/registry drill restore --publish-for 3

bench-serve: $(READY)  ## documents and publications through nginx, and listings beside idle readers
	$(BIN)/python -m tests.bench.serving

failover: $(READY)  ## deploy/ha in network namespaces, a fault after the other (root; 20 minutes)
	$(BIN)/python -m tests.ha --report docs/durability.md

check-deploy: $(READY)  ## what lies in deploy/, as systemd, nginx, promtool, helm, compose and hadolint see it
	$(UV) sync --quiet --frozen --python $(PYTHON) --extra sandbox --group dev --group deploy
	$(BIN)/python -m pytest -q -n 2 -p no:schemathesis tests/deploy
	$(UV) export --quiet --frozen --extra server --no-dev --no-emit-workspace --output-file .cache/requirements.txt
	@$(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes -r .cache/requirements.txt \
	  > .cache/pip-audit.txt 2>&1 || { cat .cache/pip-audit.txt; exit 1; }
	@head -n 1 .cache/pip-audit.txt
	@echo "Libraries that could not be looked up here: $$(grep -c 'could not be audited' .cache/pip-audit.txt)"

docs: $(READY)  ## the documentation site in .cache/site, to be read from there; a warning fails it
	$(UV) sync --quiet --frozen --python $(PYTHON) --extra sandbox --group dev --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open .cache/site/index.html"

lock: $(UV)  ## bring uv.lock up to date with pyproject.toml
	$(UV) lock

dist: $(READY)  ## make wheel, sdist, constraints, bill of materials and checksums in dist/
	$(BIN)/python -m registry.release dist

image: dist  ## the same as an image, ebox-registry, with buildah; BASE=… names another base
	buildah build --file deploy/Containerfile $(if $(BASE),--build-arg BASE=$(BASE)) --tag ebox-registry dist

release: $(READY)  ## make release VERSION=1.2.3: changelog, commit, the same files, tag; pushes nothing
	$(BIN)/python -m registry.release tag "$(VERSION)"

clean:  ## remove the sandbox, the environment and all caches
	-[ ! -x $(BIN)/registry ] || $(BIN)/registry sandbox down
	rm -rf $(VENV) .cache .sandbox .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*

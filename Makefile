# Needs Python 3.11 or newer, pip, git and make; everything else goes into .venv from a lock file.
#
#   make certify                                     certify the reference that comes along, as an example
#   make certify REGISTRY_URL=https://r.example.com  certify another registry
#   make                                             clean fmt lint build test binaries

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV   := .venv
RUN    := $(VENV)/bin/python
PIP    := $(PYTHON) -m pip --python $(RUN) --disable-pip-version-check

# The same commit gives the same bytes.
export SOURCE_DATE_EPOCH ?= $(shell git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || echo 315532800)
export PYTHONHASHSEED ?= 0
# Compiled modules are kept: half of the time of a short run would go into compiling them again.
unexport PYTHONDONTWRITEBYTECODE

# The suite reads REGISTRY_URL, REGISTRY_USERNAME, REGISTRY_PASSWORD and so on from the environment itself; make puts
# there what its command line sets.
REPORT  ?= $(or $(REGISTRY_REPORT),report)
OPTIONS ?=
export REPORT

# A mistyped variable must not leave a run with the default. Names that begin with REGISTRY_ are left to the suite.
KNOWN := CI DATE DOCS_SOURCE_URL MIX OPTIONS PYTHON PYTHONHASHSEED REPORT REQUESTS SHELL SOURCE_DATE_EPOCH TIME USERS VENV YES_LOAD
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
UNKNOWN := $(filter-out $(KNOWN) REGISTRY_% MAKE% -%,$(GIVEN))
ifneq ($(UNKNOWN),)
$(error $(or $(shell $(PYTHON) -m conformance.run.variables $(UNKNOWN) -- $(KNOWN)),there is no variable $(UNKNOWN)))
endif

# No target at all means the embedded reference. An empty REGISTRY_URL is a target that somebody forgot.
NAMED := $(filter-out undefined,$(origin REGISTRY_URL) $(origin REGISTRY_CONFIG)) $(wildcard registry-conformance.yaml) \
	$(findstring registry-url,$(OPTIONS) $(PYTEST_ADDOPTS)) $(filter -c -c% --config%,$(OPTIONS) $(PYTEST_ADDOPTS)) \
	$(shell grep -l '^ *registry_url' $(wildcard pytest.ini .pytest.ini pytest.toml .pytest.toml tox.ini setup.cfg pyproject.toml))
TARGET := $(if $(strip $(NAMED)),,--registry-url embedded)

# A program that a test starts, and the Debian package that has it.
PROGRAMS := docker-registry skopeo umoci buildah chromium chromedriver
PACKAGES := docker-registry skopeo umoci buildah chromium chromium-driver

.PHONY: all help certify load bench runtime environment packages clean fmt lint lint-openapi docs published screenshots build test test-all prove prove-all nightly binaries lock
.DEFAULT_GOAL := all

all: clean fmt lint build test binaries ## what a change has to pass

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r t d; do printf '%-12s %s\n' "$$t" "$$d"; done

certify: $(VENV)/.runtime ## certify REGISTRY_URL, or else the embedded reference; OPTIONS="--profile ..." go to the suite
	@$(RUN) -m pytest conformance $(TARGET) --report "$$REPORT" $(OPTIONS)

# Whose host is not named again by YES_LOAD=HOST is refused: a load may bring a registry down.
LOADED = --report "$$REPORT" $(if $(YES_LOAD),--yes-load '$(YES_LOAD)') $(if $(USERS),--users '$(USERS)') $(if $(TIME),--time '$(TIME)') \
	$(if $(REQUESTS),--requests '$(REQUESTS)') $(if $(MIX),--mix '$(MIX)')
load: $(VENV)-load/.load ## users of REGISTRY_URL, driven by Locust and judged; USERS=... TIME=... YES_LOAD=HOST
	@$(VENV)-load/bin/python -m conformance.load $(LOADED) $(OPTIONS)

runtime: $(VENV)/.runtime ## .venv with what the suite needs, for .venv/bin/python -m pytest conformance

environment: $(VENV)/.dev ## .venv with everything for development

# ---------------------------------------------------------------------------------------- environment

# pip of the base Python installs into .venv, so that neither ensurepip nor a second pip is needed.
$(RUN):
	@test -n "$(PYTHON)" || { echo 'make: no Python 3.11 or newer was found; name one with PYTHON=/path/to/python' >&2; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.runtime: requirements.txt | $(RUN)
	@if [ -e $(VENV)/.dev ] && [ $(VENV)/.dev -nt requirements.txt ]; then :; else \
		echo 'Installing what the suite needs into $(VENV)'; \
		$(PIP) install --quiet --require-hashes --requirement requirements.txt 2>$(VENV)/pip.log || { cat $(VENV)/pip.log >&2; exit 1; }; fi
	@touch $@

# The lock is whole: pip need not look for what each package requires, nor take a package with extras for another one.
$(VENV)/.dev: requirements-dev.txt | $(RUN)
	@echo 'Installing what development needs into $(VENV)'
	@$(PIP) install --quiet --no-deps --require-hashes --requirement requirements-dev.txt 2>$(VENV)/pip.log || { cat $(VENV)/pip.log >&2; exit 1; }
	@touch $@

# Locust changes what Python's own modules do, and its plugin comes into each pytest beside it: it has its own place.
$(VENV)-load/.load: requirements-load.txt
	@test -n "$(PYTHON)" || { echo 'make: no Python 3.11 or newer was found; name one with PYTHON=/path/to/python' >&2; exit 1; }
	@echo 'Installing what a load needs into $(VENV)-load'
	@$(PYTHON) -m venv --without-pip $(VENV)-load
	@$(PYTHON) -m pip --python $(VENV)-load/bin/python --disable-pip-version-check install --quiet --require-hashes \
		--requirement requirements-load.txt 2>$(VENV)-load/pip.log || { cat $(VENV)-load/pip.log >&2; exit 1; }
	@touch $@

# RUNLEVEL=1 keeps a service of a package from being started by its installation.
packages: # Debian packages with the programs that tests start, where we may install them
	@missing=; for p in $(PROGRAMS); do command -v $$p >/dev/null || missing=1; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		mkdir -p $(VENV); echo 'Installing $(PACKAGES)'; \
		{ apt-get update -q && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends $(PACKAGES); } >$(VENV)/apt.log 2>&1 \
		|| { tail -n 3 $(VENV)/apt.log >&2; echo 'make: not all packages could be installed; tests that need them are skipped' >&2; }; \
	fi

# A lock is made from the public index alone, for each platform and each Python from 3.11 on.
COMPILE := $(VENV)/bin/uv pip compile --quiet --no-config --default-index https://pypi.org/simple --universal \
	--python-version 3.11 --generate-hashes --custom-compile-command 'make lock'
lock: $(VENV)/.dev ## renew the lock files from pyproject.toml
	@$(PIP) install --quiet uv
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) -c requirements.txt --group registry -o requirements-registry.txt
	@$(COMPILE) -c requirements.txt --group dist -o requirements-dist.txt
	@$(COMPILE) -c requirements.txt --extra dev pyproject.toml -o requirements-dev.txt
	@$(COMPILE) -c requirements.txt --extra load pyproject.toml -o requirements-load.txt
	@$(COMPILE) --group generator -o tests/clients/requirements-generator.txt

# ---------------------------------------------------------------------------------------------- check

test: $(VENV)/.dev packages ## all tests but the slow ones
	@$(RUN) -m pytest tests -q -n auto -m 'not slow and not alone'
	@$(RUN) -m pytest tests -q -m 'alone and not slow'

test-all: $(VENV)/.dev packages ## all tests
	@$(RUN) -m pytest tests -q -n auto -m 'not alone'
	@$(RUN) -m pytest tests -q -m alone

prove: $(VENV)/.dev packages ## docs/proof/: faults, variants, mutants, weaker checks, hostile targets, secrets; in part by the date
	@$(RUN) -m tests.proof --write docs/proof $(OPTIONS)

# What rotates is here and in `make prove`, so that a change is never refused for the date. DATE=2026-11-27 repeats a night.
DATE ?= $(shell date -u +%F)
nightly: $(VENV)/.dev packages ## other samples of the tests than `make test` has, and the proof; DATE=... chooses both, and repeats a night
	@echo 'The samples and seeds of this night: DATE=$(DATE)'
	@PROOF_SAMPLE=$(DATE) $(RUN) -m pytest tests -q -n auto -m 'not slow and not alone' --hypothesis-seed=$(DATE) \
		&& $(RUN) -m tests.proof --seed $(DATE) $(OPTIONS) \
		|| { echo 'make: it failed with DATE=$(DATE); `make nightly DATE=$(DATE)` repeats it' >&2; exit 1; }

prove-all: $(VENV)/.dev packages ## the same with nothing left to chance: hours
	@$(RUN) -m tests.proof --whole --write docs/proof $(OPTIONS)

# A measurement is no test: it needs a quiet machine, and takes half an hour.
bench: $(VENV)/.dev packages ## docs/measurements.md: what runs cost, near and far, as ratios to a commit that is measured in turns
	@$(RUN) -m tests.bench --write $(OPTIONS)

lint: $(VENV)/.dev ## style, types, layers, the specification itself, and what is written for CI systems
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports
	@$(RUN) -m spec check
	@$(RUN) -m check_jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(RUN) -m check_jsonschema -q --builtin-schema vendor.github-actions action.yml
	@$(RUN) -m check_jsonschema -q --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci docs/how-to/gitlab.yml

# Redocly's linter is no package of Python, so it is not in .venv: npm fetches the version that is named here.
lint-openapi: ## spec/openapi.yaml by Redocly's linter, by spec/redocly.yaml; needs npx
	@REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes @redocly/cli@2.77.0 lint --config spec/redocly.yaml spec/openapi.yaml

# DOCS_SOURCE_URL=https://host/owner/name/blob/main makes links to the files of the repository lead there.
docs: $(VENV)/.dev ## build/docs/: the documentation as a site; open build/docs/index.html
	@$(RUN) -m sphinx -q -W --keep-going -b html -d build/doctrees docs build/docs
	@$(RUN) -m conformance.command matrix reports/published -o build/docs/matrix >/dev/null
	@echo build/docs/index.html

published: $(VENV)/.dev packages ## reports/published/: runs of the registries at hand, with their recordings
	@$(RUN) -m tests.real.published

screenshots: $(VENV)/.dev packages ## docs/pictures/: the pictures of README.md and the site
	@$(RUN) -m tests.docs.pictures

fmt: $(VENV)/.dev ## format, and repair what can be repaired
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix-only --quiet .

# ---------------------------------------------------------------------------------------------- build

build: $(VENV)/.dev ## dist/: source distribution and wheel
	@rm -rf dist
	@$(RUN) -m build --no-isolation --outdir dist . >$(VENV)/build.log 2>&1 || { cat $(VENV)/build.log >&2; exit 1; }
	@ls dist/*

binaries: bin/registry bin/dist ## bin/registry and bin/dist: the reference and the client, each as one file

# What an installer writes about itself and its folder would differ from one checkout to the next.
bin/registry bin/dist: bin/%: build
	@rm -rf build/$* $@ && mkdir -p build bin
	@$(PIP) install --quiet --no-compile --target build/$* --require-hashes --requirement requirements-$*.txt 2>$(VENV)/pip.log || { cat $(VENV)/pip.log >&2; exit 1; }
	@rm -rf build/$*/bin
	@$(PIP) install --quiet --no-compile --no-deps --target build/$* dist/*.whl
	@rm -rf build/$*/bin build/$*/*.dist-info/RECORD build/$*/*.dist-info/direct_url.json
	@$(VENV)/bin/shiv --reproducible --site-packages build/$* --entry-point registry_conformance.__main__:$* \
		--python '/usr/bin/env python3' --output-file $@
	@ls $@

clean: ## what was built, tested and reported; .venv stays
	@rm -rf bin build dist docs/reference *.egg-info allure-results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -not -path './$(VENV)-load/*' -prune -exec rm -rf {} +

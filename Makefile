# What outside programs call: run, test, lint, bench, soak. Everything lives in .venv; nothing else is installed,
# except that `make test` as root on Debian installs what its tests start.

PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= ./var
PROCESSES ?= 3
export PORT DATA_DIR

SHELL := /bin/sh
BIN := .venv/bin
CHECKED := .venv/bin/python -W ignore

.PHONY: run test lint messages bench soak bundle packages packages-dev programs clean

# One exec line, so that the supervisor takes this shell's place and receives what is sent to make's child.
run: packages
	@exec $(CHECKED) -m classifier_site.supervisor

# The whole suite is shared out between three processes, of which one waits for a browser most of the time; what is
# chosen with ARGS is at once under way in one.
test: packages-dev programs
	$(BIN)/python -m pytest $(or $(ARGS),--numprocesses=$(PROCESSES))

lint: packages-dev
	@sh .ci/programs lint
	@sh .ci/lint

# Brings the catalogues in locale/ up to date with the texts of the code.
messages: packages-dev
	@sh .ci/programs lint
	$(BIN)/python .ci/catalogues.py --write

bench: packages-dev
	$(BIN)/python -m benchmarks

soak: packages-dev programs
	$(BIN)/python -m pytest -m soak $(ARGS)

# The zip that Elastic Beanstalk is given, with the wheels of what serves: deploy/README.md.
bundle: packages-dev
	$(BIN)/python -m deploy.bundle --out dist $(ARGS)

# The stamps hold a hash of the requirements: nothing is installed again until they change.
packages:
	@PYTHON="$(PYTHON)" sh .ci/install requirements.txt

packages-dev:
	@PYTHON="$(PYTHON)" sh .ci/install requirements-dev.txt

programs:
	@sh .ci/programs

clean:
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis staticfiles

# `make report` and `make test` are all that a fresh machine needs: each makes the environment first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
BACKENDS := --backend torch --backend paddle --backend jax --backend flax
BACKEND ?= torch
# Of pyproject.toml: `make setup EXTRAS=torch,test` is one framework and the tests, for this and later calls.
EVERYTHING := all,dev
EXTRAS ?= $(or $(shell cat $(VENV)/.extras 2>/dev/null),$(EVERYTHING))
comma := ,
DONE := $(VENV)/.done-$(subst $(comma),-,$(EXTRAS))

.PHONY: setup report sweeps selftest facts docs test test-quick test-published soak lowest lint format

setup: $(DONE)

# Sizes on disk, on Linux with constraints.txt; the download is smaller.
$(DONE): pyproject.toml constraints.txt
	@echo "Installs convparity[$(EXTRAS)] into $(VENV). On disk: torch 0.8 GB (4.5 GB if pip takes the CUDA build),"
	@echo "paddle 0.7 GB, jax with flax 0.5 GB, engines 0.3 GB, dev 0.4 GB; all and dev together 3.2 GB."
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	echo '$(EXTRAS)' > $(VENV)/.extras
	touch $@

report: setup
	$(BIN)/convparity report $(ARGS)

# Asks the four frameworks for the facts whose code or versions have changed; then renders the pages.
facts: setup
	$(BIN)/python -m report.guide
	$(MAKE) docs

# Renders report/REPORT.md, README's figures and docs/, and builds the site from docs/ with its links checked.
docs: setup
	$(BIN)/python -m report.published
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

test: setup
	$(BIN)/pytest -n auto $(BACKENDS) --durations 30 $(ARGS)

# NumPy and one framework, without the slow tests: for every change.
test-quick: setup
	$(BIN)/pytest -n auto --backend $(BACKEND) -m "not slow" $(ARGS)

# Networks that others published, compared and ported. Installs them first: timm, torchvision, transformers and others.
test-published:
	$(MAKE) setup EXTRAS=$(EVERYTHING),published
	$(BIN)/pytest -m published tests/published --durations 30 $(ARGS)

# Times everything against itself, and the grids of report/sweeps/: half an hour, on a machine that does nothing else.
# After an interruption the same command continues. Status 1 means that a row is not available.
sweeps: setup
	$(BIN)/convparity bench --aa --json report/aa.json
	mkdir -p build/sweeps
	for name in $(basename $(notdir $(wildcard report/sweeps/*.yaml))); do \
		$(BIN)/convparity sweep report/sweeps/$$name.yaml --json build/sweeps/$$name.json || [ $$? = 1 ] || exit; \
		cp build/sweeps/$$name.json report/sweeps/; \
	done

selftest: setup
	$(BIN)/convparity selftest $(ARGS)

soak: setup
	$(BIN)/pytest -n auto $(BACKENDS) --soak 2000 tests/test_random_specs.py tests/unbreakable/test_many.py \
		tests/unbreakable/test_calls.py $(ARGS)

# The tuned convolutions in the oldest JAX and Flax that pyproject.toml allows, in an environment of their own. That
# Flax calls what JAX 0.10 deprecates.
lowest:
	$(PYTHON) -m venv build/lowest
	build/lowest/bin/pip install --quiet --disable-pip-version-check -e '.[test]' optax jax==0.10.0 jaxlib==0.10.0 flax==0.12.4
	build/lowest/bin/pytest -n auto -W ignore::DeprecationWarning tests/test_tuned_jax*.py tests/test_tuned_installed.py $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/pyright --pythonpath $(BIN)/python

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

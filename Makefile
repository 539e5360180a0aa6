# Every target does its own set-up in .venv; a second call starts at once.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Bytecode is compiled by all cores: pip takes one, and a minute longer.
PINNED := -q --no-compile --no-deps --require-hashes
COMPILE := -W ignore -m compileall -qq -j 0
# The benchmarks' environment sees .venv's packages and adds the peers.
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed
# A process for each core, up to four (2 GB each); a file's tests stay together, as they
# share what is compiled.
SIDE_BY_SIDE ?= -n logical --maxprocesses 4 --dist loadfile
ROWS ?=
ARGS ?=
# Notebooks also run with the versions that Colab has.
COLAB := .venv-colab
COLAB_STAMP := $(COLAB)/.installed
COLAB_PYTHON ?= python3.13
NAMES ?=
NOTEBOOKS := $(if $(NAMES),$(NAMES:%=colab/%.ipynb),colab)
NBMAKE := -m pytest -p no:cacheprovider --nbmake --nbmake-timeout=180 -n 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test slow lint format types wheel golden zoo-table docs lock clean bench bench-lock \
  notebooks notebooks-colab notebooks-render notebooks-execute colab-lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 19

setup: $(STAMP) ## create .venv with the pinned, hash-checked requirements

$(STAMP): requirements/dev.txt setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	sys.exit(None if (3, 11) <= v <= (3, 13) else \
	"PYTHON: %d.%d is not supported; call make PYTHON=python3.11 (3.11 to 3.13)" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PINNED) -r requirements/dev.txt
	@$(BIN)/python $(COMPILE) .venv/lib || true # some packages carry files that are no Python
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## train, evaluate, export, publish and load one episodic agent
	$(BIN)/kerasmeta demo

test: setup ## the tests a newcomer should run (six minutes on two cores)
	$(BIN)/python -m pytest -m "not slow" $(SIDE_BY_SIDE)

slow: setup ## the slow tests: learning, kill and resume, the wheel
	$(BIN)/python -m pytest -m slow $(SIDE_BY_SIDE)

lint: setup ## ruff check and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## mypy
	$(BIN)/mypy

wheel: setup ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

golden: setup ## write the golden files that shipped agents lack, and no other
	$(BIN)/python tests/golden/make.py

zoo-table: setup ## renew the table of agents in README.md
	@KERASMETA_REGISTRY= $(BIN)/python -c 'import pathlib, zoo, zoo.table; \
	readme, agents = pathlib.Path("README.md"), zoo.default_registry().list(); \
	readme.write_text(zoo.table.replace_table(readme.read_text(), agents))'

docs: setup ## build the gallery and the documentation into build/site
	$(BIN)/kerasmeta gallery --out build/site

lock: ## compile requirements/dev.txt anew (needs uv on the PATH)
	cd requirements && uv pip compile --universal --python-version 3.11 \
	  --override overrides.txt --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command "make lock" dev.in -o dev.txt

notebooks: setup ## run the notebooks at small budgets; NAMES="01_first_agent ..."
	KERASMETA_SMALL=1 KERASMETA_OFFLINE=1 $(BIN)/python $(NBMAKE) $(NOTEBOOKS)

notebooks-colab: $(COLAB_STAMP) ## the same with Colab's versions (COLAB_PYTHON=python3.13)
	KERASMETA_SMALL=1 KERASMETA_OFFLINE=1 $(COLAB)/bin/python $(NBMAKE) $(NOTEBOOKS)

notebooks-render: setup ## write every colab/*.ipynb from its text
	$(BIN)/python colab/make.py $(NAMES)

notebooks-execute: setup ## run the notebooks at full budgets, and keep their outputs
	$(BIN)/python colab/make.py --execute $(NAMES)

$(COLAB_STAMP): requirements/colab.txt setup.cfg
	@test -x $(COLAB)/bin/python || $(COLAB_PYTHON) -m venv $(COLAB)
	@echo '*' > $(COLAB)/.gitignore
	$(COLAB)/bin/python -m pip install $(PINNED) -r requirements/colab.txt
	@$(COLAB)/bin/python $(COMPILE) $(COLAB)/lib || true
	$(COLAB)/bin/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

colab-lock: ## compile requirements/colab.txt anew (needs uv on the PATH)
	cd requirements && uv pip compile --python-version 3.13 \
	  --override overrides.txt --override colab-overrides.txt --generate-hashes \
	  --no-emit-index-url --no-annotate \
	  --custom-compile-command "make colab-lock" colab.in -o colab.txt

clean: ## remove build products and .venv
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

bench: $(BENCH_STAMP) ## measure against the peers; make bench ROWS="rollout update"
	@$(BENCH)/bin/python -m benchmarks.run $(ROWS) $(ARGS)

$(BENCH_STAMP): requirements/bench.txt | $(STAMP)
	@test -x $(BENCH)/bin/python || $(BIN)/python -m venv $(BENCH)
	@echo '*' > $(BENCH)/.gitignore
	@$(BENCH)/bin/python -c 'import sysconfig, subprocess; \
	paths = "import sysconfig; print(sysconfig.get_path(\"purelib\"))"; \
	project = subprocess.check_output(["$(BIN)/python", "-c", paths], text=True).strip(); \
	line = f"import site; site.addsitedir({project!r})\n"; \
	open(sysconfig.get_path("purelib") + "/project.pth", "w").write(line)'
	$(BENCH)/bin/python -m pip install -q --no-deps --require-hashes -r requirements/bench.txt
	@# torch's wheels differ from machine to machine (CPU or CUDA): no hash fits them all.
	$(BENCH)/bin/python -m pip install -q torch==2.13.0
	@touch $@

bench-lock: ## compile requirements/bench.txt anew (needs uv on the PATH)
	cd requirements && uv pip compile --universal --python-version 3.11 --no-deps \
	  --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make bench-lock" bench.in -o bench.txt

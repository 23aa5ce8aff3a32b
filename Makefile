# make quickstart   a virtual environment, an install, a first dataset: built, verified, loaded, drawn
# make test         install what the tests need and run them        make test-slow   the minutes-long ones
# make check        ruff format, ruff, mypy, the floors             make bench       speed beside peers, as a table
# make extras       install every extra: bench, robot, metaworld, ray, plots, analysis
#
# TORCH_INDEX=https://download.pytorch.org/whl/cpu make quickstart   takes torch from another index (here: CPU only)

PYTHON ?= python3
VENV ?= .venv
OUT ?= runs/go9-tiny
JOBS ?= auto
TORCH_INDEX ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt
export NUMBA_CACHE_DIR ?= $(CURDIR)/.numba_cache

.PHONY: quickstart test test-slow extras check bench clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version + ". Try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: constraints.txt | $(BIN)/python
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==$(shell sed -n 's/^torch==//p' constraints.txt)
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.torch
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) -e '.[dev]'
	@touch $@

quickstart: $(VENV)/.installed
	$(BIN)/gobench build-dataset go9-tiny --sgf tests/data/go9_katago_sgf.zip --out $(OUT) --workers $(JOBS)
	$(BIN)/gobench verify $(OUT) --sample 100
	$(BIN)/python examples/load_with_datasets.py $(OUT)
	$(BIN)/gobench preview $(OUT)
	$(BIN)/gobench evaluate random-legal --suite go9-lite --limit 200 --task go9/next-move --trained-on $(OUT) --out $(OUT)-eval
	@echo
	@echo "Done. Where things lie:"
	@echo "  $(OUT)/data          the shards: tar files that datasets and webdataset load as they are"
	@echo "  $(OUT)/README.md     the dataset's card"
	@echo "  $(OUT)-preview/      index.html plays the games in a browser; sheet.png and clips.gif to look at"
	@echo "  $(OUT)-eval/         a first model's scores: report.html to look at, result.json, the evidence"
	@echo "Try next ($(BIN) on your PATH, or: source $(BIN)/activate):"
	@echo "  gobench info $(OUT)"
	@echo "  gobench evaluate copy-frame --limit 200    # then your own: docs/evaluation.md"
	@echo "  gobench go match mcts:50 mcts:200 --games 4 --out runs/match    # and gnugo:1 where GNU Go is"
	@echo "  gobench go play teacher:mcts:50 --oracle mcts:500              # in the browser"
	@echo "  gobench go render --sgf tests/data/go9_katago_sgf.zip game.gif"
	@echo "  gobench build-dataset go9-tiny --theme wood --codec moves --games 500 --out runs/wood"
	@echo "  gobench recipes"

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS)

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -m slow

extras: $(VENV)/.dev
	$(PIP) -e '.[bench,robot,metaworld,ray,plots,analysis]'

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_floors.py tests/test_docs.py

bench: $(VENV)/.dev
	$(PIP) -e '.[bench]'
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) .numba_cache .pytest_cache .mypy_cache .ruff_cache runs

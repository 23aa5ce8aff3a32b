# make quickstart   a virtual environment, an install, a first dataset, a model trained on it, its scores
#                   MINUTES=10: another model of so many minutes, in runs/go9-tiny-model-10min
# make quickstart-robot   the same for robot arms: a dataset of ten tasks, floors and ceilings in closed loop
# make reproduce-small   the paper's three systems, SEEDS=3 of each, trained for MINUTES=4 each and compared
# make test         install what the tests need and run them        make test-slow   the minutes-long ones
# make check        ruff format, ruff, mypy, the floors             make bench       speed beside peers, as a table
# make extras       install every extra: bench, robot, metaworld, ray, plots, analysis
#
# TORCH_INDEX=https://download.pytorch.org/whl/cpu make quickstart   takes torch from another index (here: CPU only)

PYTHON ?= python3
VENV ?= .venv
OUT ?= runs/go9-tiny
JOBS ?= auto
MINUTES ?= 4
LONGER := $(if $(filter-out 4,$(MINUTES)),-$(MINUTES)min)
MODEL ?= $(OUT)-model$(LONGER)
SEEDS ?= 3
LIMIT ?= 200
COMPARED ?= $(OUT)-compared$(LONGER)
TORCH_INDEX ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt
export NUMBA_CACHE_DIR ?= $(CURDIR)/.numba_cache

.PHONY: quickstart quickstart-robot reproduce-small test test-slow extras check bench clean

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

ASKED = --suite go9-lite --limit $(LIMIT) --task go9/next-move

quickstart: $(VENV)/.installed
	$(BIN)/gobench build-dataset go9-tiny --out $(OUT) --workers $(JOBS)
	$(BIN)/gobench verify $(OUT) --sample 100
	$(BIN)/python examples/load_with_datasets.py $(OUT)
	$(BIN)/gobench preview $(OUT)
	$(BIN)/gobench evaluate random-legal $(ASKED) --trained-on $(OUT) --out $(OUT)-eval
	$(BIN)/gobench train videoworld --data $(OUT) --out $(MODEL)/model.pt --minutes $(MINUTES)
	$(BIN)/gobench evaluate $(MODEL)/model.pt $(ASKED) --trained-on $(OUT) --out $(MODEL)-eval
	$(BIN)/gobench card $(MODEL)/model.pt --result $(MODEL)-eval --write
	@echo
	@echo "Done. Where things lie:"
	@echo "  $(OUT)/data          the shards: tar files that datasets and webdataset load as they are"
	@echo "  $(OUT)/README.md     the dataset's card"
	@echo "  $(OUT)-preview/      index.html plays the games in a browser; sheet.png and clips.gif to look at"
	@echo "  $(MODEL)/model.pt    a VideoWorld of $(MINUTES) minutes; model.md is its card, model-train/ its logs and pictures"
	@echo "  $(MODEL)-eval/       its scores: report.html to look at, result.json, the evidence"
	@echo "  $(OUT)-eval/         the scores of moves drawn at random, to compare with"
	@echo "What to expect: legal_first_try above is 0.9 or more where the machine had little else to do; a busy one needs more"
	@echo "minutes (make quickstart MINUTES=15: a model beside this one). It plays no better than a beginner, and far below the paper's"
	@echo "models, which were trained for days: give it more with --minutes, --size and more games (docs/baseline.md)."
	@echo "Try next ($(BIN) on your PATH, or: source $(BIN)/activate):"
	@echo "  gobench info $(OUT); gobench info $(MODEL)/model.pt"
	@echo "  gobench compare $(OUT)-eval $(MODEL)-eval"
	@echo "  gobench go play $(MODEL)/model.pt           # play it in the browser"
	@echo "  make reproduce-small                        # video, video + latent dynamics, and states at equal compute"
	@echo "  gobench evaluate copy-frame --limit 200    # then your own: docs/evaluation.md"
	@echo "  gobench go match mcts:50 mcts:200 --games 4 --out runs/match    # and gnugo:1 where GNU Go is"
	@echo "  gobench go play teacher:mcts:50 --oracle mcts:500              # in the browser"
	@echo "  gobench go render --sgf tests/data/go9_katago_sgf.zip game.gif"
	@echo "  gobench build-dataset go9-tiny --theme wood --codec moves --games 500 --out runs/wood"
	@echo "  gobench recipes"

ROBOT ?= runs/robot-tiny
EPISODES ?= 30

quickstart-robot: $(VENV)/.installed
	$(PIP) -e '.[robot,metaworld]'
	$(BIN)/gobench build-dataset robot-tiny --out $(ROBOT) --workers $(JOBS)
	$(BIN)/gobench verify $(ROBOT) --sample 10
	$(BIN)/gobench preview $(ROBOT)
	for who in robot-still robot-random robot-future robot-expert; do \
	  $(BIN)/gobench evaluate $$who --suite robot-lite --limit $(EPISODES) --out $(ROBOT)-eval/$$who || exit 1; \
	done
	@echo
	@echo "Done. Where things lie:"
	@echo "  $(ROBOT)/data          the shards: 200 episodes of ten tasks; one in ten carries its actions"
	@echo "  $(ROBOT)-preview/      index.html shows the episodes in a browser; sheet.png and clips.gif to look at"
	@echo "  $(ROBOT)-eval/*/       report.html and result.json of floors (still, random) and ceilings:"
	@echo "                         the expert's own future frames, read by inverse dynamics, and the expert itself"
	@echo "Try next ($(BIN) on your PATH, or: source $(BIN)/activate):"
	@echo "  gobench compare $(ROBOT)-eval/robot-still $(ROBOT)-eval/robot-future"
	@echo "  gobench train videoworld --data $(ROBOT) --out runs/arm/model.pt --minutes 10"
	@echo "  gobench evaluate runs/arm/model.pt --suite robot-lite --limit $(EPISODES)"
	@echo "  gobench build-dataset playtable --out runs/playtable"

reproduce-small: $(VENV)/.installed
	$(PIP) -e '.[plots]'
	$(BIN)/gobench build-dataset go9-tiny --out $(OUT) --workers $(JOBS)
	$(BIN)/gobench analyze ablate --axis input --data $(OUT) --minutes $(MINUTES) --seeds $(SEEDS) \
	  --suite go9-lite --task go9/next-move --limit $(LIMIT) --out $(COMPARED)
	$(BIN)/gobench analyze curves $(COMPARED)/input/*/seed-*/model.pt $(COMPARED)/input/*/seed-*/eval/result.json \
	  --metric legal --result-metric legal_first_try --out $(COMPARED)
	for other in state video; do \
	  $(BIN)/gobench compare $(COMPARED)/input/$$other/seed-0/eval $(COMPARED)/input/video+ldm/seed-0/eval || exit 1; \
	done

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

# Everything runs inside .venv, which `make setup` builds once from constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
# Tests that start whole runs or draw many numbers: part of `make test`, not of `make check`.
WHOLE_RUNS := cli experiment selfcheck verification

.PHONY: setup demo check test verify bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "could not build $(VENV): install python3 (3.11 or newer) and python3-venv"; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; found $$($(BIN)/python --version)"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

demo: setup
	$(BIN)/sessionsim run scenarios/first-look.toml --out results/first-look --fresh

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 -m "not slow" $(WHOLE_RUNS:%=--ignore=tests/%)

test: setup
	$(BIN)/pytest -q -n 2

verify: setup
	SESSIONSIM_FULL=1 $(BIN)/pytest -q -n 2 -m "slow or not slow" --durations=10

bench: setup
	$(BIN)/sessionsim bench
	$(BIN)/pytest -q tests/benchmarks --benchmark-only --benchmark-quiet

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

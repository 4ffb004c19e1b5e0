# Everything works from a fresh clone: the environment and what the lab needs are made on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
APT := mmdebstrap systemd-container iproute2 openssh-client openssh-server rsync curl python3-venv chromium libfaketime
FILES ?= 200000
ROUNDS ?= 3

.PHONY: all demo demo-update test test-fast soak lint audit bench clean docs lock notebooks lab-packages

# Tests start some hundred Pythons, each of which would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

all: $(STAMP)

$(STAMP): requirements.lock pyproject.toml | lab-packages
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib bmnb tests
	touch $@

lab-packages:
	@scripts/install-lab-packages $(APT)

demo: $(STAMP)
	$(BIN)/python -m bmnb.lab.demo

demo-update: $(STAMP)
	$(BIN)/python -m bmnb.lab.demo_update

# Files go side by side, each whole in one process. Those on lab servers wait more than they work: more of them go at
# once than there are cores, and those that take longest begin first (tests/conftest.py).
PYTEST := $(BIN)/pytest --dist loadfile --no-loadscope-reorder

test: lint
	$(PYTEST) --numprocesses 4 --nbval notebooks tests

test-fast: $(STAMP)
	$(PYTEST) -p no:nbval --numprocesses 2 -m "not lab and not browser and not install" tests

# Hours: what `make test` leaves to chance is tried throughout. The seed is printed; BMNB_SEED=n has the same run again.
soak: $(STAMP)
	$(PYTEST) --numprocesses 3 -m soak tests

lint: $(STAMP)
	$(BIN)/ruff check bmnb benchmarks tests notebooks docs
	$(BIN)/ruff format --check bmnb benchmarks tests docs
	$(BIN)/mypy
	$(BIN)/vermin --quiet --target=3.5- bmnb/verification/comparing bmnb/verification/mailboxes \
		bmnb/transfer/asking bmnb/transfer/network bmnb/verification/dialogue.py bmnb/verification/openid.py
	$(BIN)/vermin --quiet --target=3.6- bmnb/transfer/mailbox.py bmnb/verification/watching.py
	$(BIN)/vermin --quiet --target=3.7- bmnb/transfer/programs bmnb/lab/compare_files.py

# Known weaknesses of the locked packages, from PyPI's service: it takes the network, so it is no part of lint.
audit:
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet pip-audit
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.lock

bench: $(STAMP)
	$(BIN)/python -m benchmarks --files $(FILES) --rounds $(ROUNDS)

notebooks: $(STAMP)
	$(BIN)/python -m bmnb.headless

# A site in docs/_build; a warning, such as a link that leads nowhere, is an error.
docs: $(STAMP)
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build

lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-emit-index-url --no-annotate \
		--no-header --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) docs/_build docs/made docs/jupyter_execute .pytest_cache .mypy_cache .ruff_cache .hypothesis benchmarks/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

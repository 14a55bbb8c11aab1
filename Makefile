# `make chat` and `make test` need nothing but Python 3.11 or newer; everything is set up in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A worker imports torch, so that more than eight cost more memory than they save time.
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

.PHONY: chat test test-slow test-all check docs clean

chat: $(READY)
	@$(BIN)/chatseq

test: $(READY)
	@$(PYTEST)

test-slow: $(READY)
	@$(PYTEST) -m slow

test-all: test test-slow

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chatseq needs Python 3.11 or newer; name one: make PYTHON=python3.12 chat")'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV): PyTorch and the other libraries, a few minutes the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

docs: $(READY)
	@$(BIN)/python tests/parts_page.py
	@$(BIN)/python tests/textbook_page.py

clean:
	rm -rf $(VENV) build dist

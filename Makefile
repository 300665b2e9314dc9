# make demo      set up what is missing, then serve the page at http://127.0.0.1:7860 (PORT=8000 make demo for another port)
# make test      set up what is missing, then check the style and the types, and run every test
# make test-zoo  convert some fifty networks of other libraries, in a virtual environment of its own (6 GB, an hour)
# make fuzz      set up what is missing, then open 2,000 damaged pictures (a minute or two)
# make soak      set up what is missing, then use the page as 50 people and 2,000 pictures would, and write results/soak.json (an hour)
# make install   only the set-up that both share
#
# A computer needs Python 3.11 or later and make; where `python3` is older: make PYTHON=python3.12 demo

PYTHON ?= python3
PORT ?= 7860
VENV := .venv
ZOO := .venv-zoo
PIP := $(VENV)/bin/python -m pip
PINS := requirements.txt constraints.txt overrides.txt pyproject.toml

# Spinning OpenMP threads of two busy processes starve one another.
export OMP_WAIT_POLICY := PASSIVE
export GRADIO_ANALYTICS_ENABLED := False
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo fuzz install soak test test-zoo
.DELETE_ON_ERROR:

demo: export PORT := $(PORT)
demo: export HF_HUB_OFFLINE := 1
demo: install
	$(VENV)/bin/python app.py

install: $(VENV)/.installed

test: $(VENV)/.installed-for-tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	find habn -name '*.pyi' -delete # Gradio writes them beside its components, and mypy would read them instead
	$(VENV)/bin/mypy
	cp tests/eslint.config.mjs $(VENV)/node # beside the packages that it imports
	$(VENV)/bin/node $(VENV)/node/node_modules/eslint/bin/eslint.js -c $(VENV)/node/eslint.config.mjs habn/ui
	$(VENV)/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

fuzz: $(VENV)/.installed-for-tests
	PYTHONPATH=. $(VENV)/bin/python tests/fuzz_pictures.py

soak: $(VENV)/.installed-for-tests
	PYTHONPATH=. $(VENV)/bin/python tests/soak.py --write results/soak.json

test-zoo: $(ZOO)/.installed
	$(ZOO)/bin/python -m pytest --confcutdir=tests/zoo -W default -o timeout=1800 tests/zoo

$(ZOO)/.installed: tests/zoo/requirements.txt
	$(PYTHON) -m venv $(ZOO)
	$(ZOO)/bin/python -m pip install -r tests/zoo/requirements.txt
	touch $@

$(VENV)/.installed: $(PINS)
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e .
	$(PIP) install --no-deps -r overrides.txt
	touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed tests/package.json tests/package-lock.json
	$(PIP) install -c constraints.txt -e '.[test]'
	$(PIP) install --no-deps -r overrides.txt
	mkdir -p $(VENV)/node
	cp tests/package.json tests/package-lock.json $(VENV)/node
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm ci --prefix $(VENV)/node --no-audit --no-fund
	touch $@

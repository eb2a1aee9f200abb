# Two commands try everything: `make demo` and `make test`. Python 3.11 or newer is all they need.
PY := .venv/bin/python
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)
# settings that need no server, for the checks
CHECKS := DATABASE_URL=postgres://checks@127.0.0.1:1/checks REDIS_URL=redis://127.0.0.1:1/0 \
	SECRET_KEY=only-for-checks-0123456789-0123456789-0123456789-0123456789 DJANGO_SETTINGS_MODULE=curation.config.settings

# what judges the promises: all that SOAK=short runs
PROMISES := tests/soak/test_promises.py tests/soak/test_restore_drill.py

.PHONY: help demo manage test soak defects lint bench pictures messages translations venv

help:
	@echo "make demo       everything on this machine: http://localhost:8000 (PORT, DEMO_DIR move it)"
	@echo "make manage     manage.py against a demo that runs (ARGS='ingest --health')"
	@echo "make test       the tests, browser included (ARGS='-k words' picks some)"
	@echo "make soak       two hours of faults and judges, see docs/reliability.md (SOAK=short: ten minutes)"
	@echo "make defects    deliberate defects, one at a time: docs/defects.md (ARGS='clock' picks some)"
	@echo "make lint       style, types, missing migrations, weak code, known weaknesses"
	@echo "make bench      speed as ratios, kept in docs/benchmarks.md (ARGS='ingest --stored 0' is quick)"
	@echo "make pictures   the docs' pictures anew, of a demo of their own"
	@echo "make messages   collect the texts to translate and compile the translations"

demo: translations
	@exec $(PY) -m curation.config.demo

manage:
	@exec $(PY) -m curation.config.demo.manage $(ARGS)

test: translations
	@.ci/browser
	@exec $(PY) -m pytest -n 3 --maxschedchunk 6 $(ARGS)

soak: translations
	@exec $(PY) -m pytest -m soak $(if $(filter short,$(SOAK)),$(PROMISES),tests) $(ARGS)

defects: translations
	@.ci/browser
	@exec $(PY) -m tests.defects $(ARGS)

lint: venv
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(CHECKS) $(PY) -m mypy regions curation feeds
	$(CHECKS) $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(CHECKS) $(PY) manage.py check --deploy --fail-level WARNING
	$(PY) -m bandit -q -ll -c pyproject.toml -r regions curation feeds manage.py
	$(PY) .ci/audit

bench: venv
	@exec $(PY) -m bench $(ARGS)

pictures: translations
	@.ci/browser
	@exec $(PY) -m tests.pictures

messages: venv
	@command -v xgettext >/dev/null || { \
		echo "make messages needs GNU gettext: install the package gettext." >&2; exit 1; }
	$(CHECKS) $(PY) manage.py makemessages --add-location file -i tests -i bench \
		-l de -l nl -l el -l ro -l hr -l en
	@$(MAKE) --no-print-directory translations

translations: venv
	@$(PY) -m curation.config.demo.catalogues

venv:
	@command -v $(or $(PYTHON),python3) >/dev/null || { \
		echo "Tickerdesk needs Python 3.11 or newer; there is no python3." >&2; exit 1; }
	@$(or $(PYTHON),python3) curation/config/demo/install.py

# Every target calls course.py, which does the work on every system.
PYTHON ?= python3
ARGS ?=

.PHONY: lab test setup notebooks
lab test setup notebooks:
	@$(PYTHON) course.py $@ $(ARGS)

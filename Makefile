# Every target calls course.py, which does the work on every system.
PYTHON ?= python3
ARGS ?=

.PHONY: lab test setup notebooks site slides
lab test setup notebooks site:
	@$(PYTHON) course.py $@ $(ARGS)

# Every page of the site is a set of slides, too: its link "As slides" stands below the title.
slides: site

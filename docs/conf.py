"""How Sphinx makes the course's site; `build.py` lays out what it reads."""

project = "dscourse"
author = "the dscourse authors"
copyright = "2026, the dscourse authors"  # noqa: A001 - Sphinx calls it so
extensions = ["myst_nb"]
source_suffix = {".ipynb": "myst-nb", ".md": "myst-nb"}
exclude_patterns = ["_build"]
root_doc = "index"
nb_execution_mode = "off"  # build.py has run them, and kept what moves
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_merge_streams = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "dscourse"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["live.js", "player.js", "slides.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses for files
html_theme_options = {"source_repository": "", "navigation_with_keys": False}

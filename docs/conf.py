"""Settings of the documentation site, `make docs`. Its source is the repository, so links work in both places."""

from importlib import metadata

project = "Steadyhand"
author = project_copyright = "Steadyhand maintainers"
release = metadata.version("steadyhand")

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "examples/*.md", "benchmarks/results/*.md"]
exclude_patterns = [".*", "build", "dist", "runs", "outputs", "ros2_ws", "tests", "steadyhand", "tools"]
exclude_patterns += ["runtime", "robot_envs", "policies", "transport", "actor", "learner", "calibration", "configs"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3  # links to headings, as a source host has them
suppress_warnings = ["misc.highlighting_failure"]
# Docstrings write code between single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_use_ivar = True

html_theme = "furo"
html_title = "Steadyhand"
html_extra_path = ["site"]
html_copy_source = False

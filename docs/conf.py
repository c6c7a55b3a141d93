"""Sphinx configuration; the pages are Markdown."""

import shutil
from pathlib import Path

import dlc
from dlc.diagnostics import codes, exit_code, title

HERE = Path(__file__).parent

project = "dlc"
author = "the dlc developers"
copyright = author
version = release = dlc.__version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"dlc {version}"
highlight_language = "python"
suppress_warnings = ["misc.highlighting_failure"]  # Pygments knows neither MLIR nor .hw text


def write_code_pages() -> None:
    """Copy the pages of the error codes out of the package, with an index."""
    folder = HERE / "codes"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(Path(dlc.__file__).parent / "diagnostics" / "codes", folder)
    rows = [f"| [{code}]({code}.md) | {title(code)} | {exit_code(code)} |" for code in codes()]
    table = "\n".join(["| code | meaning | exit code |", "| --- | --- | --- |", *rows])
    hidden = "\n".join(["```{toctree}", ":hidden:", *codes(), "```"])
    (folder / "index.md").write_text(f"# Error codes\n\n{table}\n\n{hidden}\n", encoding="utf-8")


write_code_pages()

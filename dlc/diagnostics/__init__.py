"""Coded diagnostics: the one way in which dlc tells a person that something is wrong.

Every layer may import this package, so it needs nothing but the standard library.
"""

from dlc.diagnostics.error import DlcError, Note, SourceLoc
from dlc.diagnostics.pages import codes, exit_code, page, title
from dlc.diagnostics.render import render
from dlc.diagnostics.suggest import suggest

__all__ = ["DlcError", "Note", "SourceLoc", "codes", "exit_code", "page", "render", "suggest", "title"]

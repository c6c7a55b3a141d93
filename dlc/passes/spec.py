"""Pipelines as text: `cse,partition{ranks=4}`, or the same within `builtin.module(…)`."""

from __future__ import annotations

import re
from dataclasses import fields

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError

from dlc.diagnostics import DlcError, suggest

from . import registry

_MODULE = re.compile(r"\s*builtin\.module\s*\((.*)\)\s*", re.DOTALL)
_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|\s*,\s*')


def parse_passes(text: str) -> list[ModulePass]:
    """The passes that a pipeline names; DLC303 for syntax, an unknown pass or an unfit option."""
    if match := _MODULE.fullmatch(text):
        text = match[1]
    text = _COMMA.sub(lambda match: match[1] or ",", text.strip())
    try:
        specs = list(parse_pipeline(text))
    except (ArgSpecParseError, ValueError, IndexError) as error:
        raise DlcError(
            "DLC303",
            f"cannot read the pipeline '{text}': {str(error).splitlines()[-1].strip()}",
            help="write passes as name,name{option=value option=value}",
        ) from error
    return [_build(spec) for spec in specs]


def _build(spec: ArgSpec) -> ModulePass:
    pass_class = registry.load(spec.name)
    options = [field.name.replace("_", "-") for field in fields(pass_class)]
    for given in spec.parameters:
        if given.replace("_", "-") not in options:
            near = suggest(given, options)
            known = f"its options are {', '.join(options)}" if options else "it has none"
            raise DlcError(
                "DLC303",
                f"pass '{spec.name}' has no option '{given}'",
                help=f"did you mean '{near}'?" if near else known,
            )
    try:
        return pass_class.from_spec(spec)
    except ValueError as error:
        raise DlcError(
            "DLC303", f"pass '{spec.name}': {error}", help="see docs/reference/passes.md"
        ) from error

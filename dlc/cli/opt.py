"""`dlc opt`: a module in, passes over it, the module out; options are spelled as in mlir-opt and xdsl-opt."""

import argparse
import linecache
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dlc.cli.failure import report
from dlc.cli.output import write_text
from dlc.cli.pieces import SEPARATOR, check_expectations, split
from dlc.diagnostics import DlcError, SourceLoc
from dlc.passes import STAGES
from dlc.passes.bounds import MAX_BYTES

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from dlc.cli.pieces import Piece
    from dlc.cli.timing import Timing

# Repeated from the compiler, whose import would slow down --help.
DIALECTS = ("flow", "table", "expr", "nn", "dist", "hw", "plan")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `dlc opt`."""
    parser.add_argument("file", nargs="?", default="-", help="a module, - for stdin (default)")
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to write (default: stdout)"
    )
    _add_pipeline_arguments(parser)
    _add_input_arguments(parser)
    _add_printing_arguments(parser)
    about = parser.add_argument_group("information, instead of reading a file").add_mutually_exclusive_group()
    about.add_argument("--list-passes", action="store_true", help="print every pass and what it does")
    about.add_argument("--show-dialects", action="store_true", help="print the dialects and their operations")
    about.add_argument(
        "--emit-irdl",
        choices=(*DIALECTS, "all"),
        metavar="DIALECT",
        help="print a dialect and those it refers to, or all, as MLIR's own tools load them",
    )


def _add_pipeline_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("passes").add_mutually_exclusive_group()
    group.add_argument(
        "-p", "--passes", metavar="PASSES", help="passes to run: name,name{option=value option=value}"
    )
    group.add_argument("--pass-pipeline", dest="passes", metavar="PASSES", help="the same, builtin.module(…)")
    group.add_argument("--stage", choices=STAGES, help="run the passes from a traced program to this stage")
    parser.add_argument(
        "--verify-each", action=argparse.BooleanOptionalAction, default=True, help="verify after every pass"
    )
    parser.add_argument(
        "--disable-verify",
        "--disable-verifier",
        dest="verified",
        action="store_false",
        help="verify neither the input nor after passes",
    )


def _add_input_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input")
    group.add_argument(
        "--split-input-file", action="store_true", help=f"process each piece between lines {SEPARATOR!r}"
    )
    group.add_argument(
        "--verify-diagnostics", action="store_true", help="check errors against // expected-error {{…}}"
    )
    group.add_argument(
        "--allow-unregistered-dialect", action="store_true", help="accept operations of unknown dialects"
    )


def _add_printing_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("printing")
    for flag, summary in (
        ("--print-op-generic", "print the generic form"),
        ("--print-debuginfo", "print locations"),
        ("--print-local-scope", "print attributes in place (always so)"),
        ("--print-ir-before-all", "print the module before every pass, on stderr"),
        ("--print-ir-after-all", "print the module after every pass, on stderr"),
    ):
        group.add_argument(flag, f"--mlir-{flag[2:]}", action="store_true", help=summary)
    group.add_argument(
        "--print-for-mlir", action="store_true", help="print what MLIR reads with the dialects of --emit-irdl"
    )
    group.add_argument(
        "--timing", "--mlir-timing", action="store_true", help="print a table of times on stderr"
    )


def run(args: argparse.Namespace) -> int:
    """Process every piece of the input; the exit code is that of the first piece that fails."""
    information = _information(args)
    if information is not None:
        write_text(information, args.output)
        return 0
    from dlc.cli.timing import Timing

    timing = Timing()
    pieces = split(_read(args.file), _name(args.file), args.split_input_file)
    outcomes = [_attempt(args, piece, timing) for piece in pieces]
    if args.timing:
        print(timing.table(), file=sys.stderr)
    errors = [outcome for outcome in outcomes if isinstance(outcome, DlcError)]
    modules = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if modules:
        write_text(f"{SEPARATOR}\n".join(modules), args.output)
    if args.verify_diagnostics:
        return check_expectations(pieces, outcomes)
    exit_codes = [report(error, []) for error in errors]
    return exit_codes[0] if exit_codes else 0


def _attempt(args: argparse.Namespace, piece: "Piece", timing: "Timing") -> str | DlcError:
    """The text of the module after all passes, or what is wrong with it."""
    from dlc.dialects import context
    from dlc.passes.text import parse_module

    ctx = context()
    ctx.allow_unregistered = args.allow_unregistered_dialect
    passes = _passes(args)
    try:
        with timing.measure("Parser"):
            module = parse_module(
                piece.text, piece.file, ctx, verified=args.verified, first_line=piece.first_line
            )
        _apply(args, passes, module, ctx, timing)
        with timing.measure("Output"):
            return _text(args, module)
    except DlcError as error:
        return error


def _apply(
    args: argparse.Namespace,
    passes: "list[ModulePass]",
    module: "ModuleOp",
    ctx: "Context",
    timing: "Timing",
) -> None:
    """Run the passes with what the options ask for around each of them."""
    from dlc.passes import pipelines
    from dlc.passes.wellformed import verify

    def dump(when: str, name: str) -> None:
        print(f"// -----// IR Dump {when} {name} //----- //\n{_text(args, module)}", file=sys.stderr)

    def announced() -> "Iterator[ModulePass]":
        for pass_ in passes:
            if args.print_ir_before_all:
                dump("Before", pass_.name)
            yield pass_

    def observe(name: str, seconds: float, module: "ModuleOp") -> None:
        timing.add(name, seconds)
        if args.print_ir_after_all:
            dump("After", name)
        if args.verified and args.verify_each:
            with timing.measure("Verifier"):
                _blame(name, lambda: verify(module))

    pipelines.run(module, announced(), ctx, observe)


def _blame(name: str, check: Callable[[], None]) -> None:
    """Turn a module that a pass has left invalid into what it is, a fault of that pass."""
    try:
        check()
    except DlcError as error:
        raise DlcError(
            "DLC901", f"pass '{name}' has left an invalid module: {error.message}", loc=error.loc
        ) from error


def _passes(args: argparse.Namespace) -> "list[ModulePass]":
    if args.passes:
        from dlc.passes.spec import parse_passes

        return parse_passes(args.passes)
    if args.stage:
        from dlc.passes import pipelines, spec

        return spec.parse_passes(",".join(pipelines.passes_until(args.stage)))
    return []


def _text(args: argparse.Namespace, module: "ModuleOp") -> str:
    from dlc.passes.text import print_module

    if args.print_for_mlir:
        from dlc.dialects.irdl import for_mlir

        return print_module(
            for_mlir(module), generic=True, debuginfo=args.print_debuginfo, properties_as_attributes=True
        )
    return print_module(module, generic=args.print_op_generic, debuginfo=args.print_debuginfo)


def _name(file: str) -> str:
    return "<stdin>" if file == "-" else file


def _read(file: str) -> str:
    """The text of the input; raises DLC201, DLC301 or DLC304."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DlcError(
            "DLC201", f"cannot read '{file}': {error.strerror or error}", help="give a module, or - for stdin"
        ) from error
    if len(data) > MAX_BYTES:
        raise DlcError(
            "DLC304", f"'{_name(file)}' is larger than {MAX_BYTES >> 20} MiB", help="split the program"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DlcError(
            "DLC301", "the text is not UTF-8", loc=SourceLoc(_name(file), line), help="save the file as UTF-8"
        ) from error
    if file == "-":
        # Errors then show lines of stdin, which cannot be read again.
        linecache.cache["<stdin>"] = (len(text), None, text.splitlines(keepends=True), "<stdin>")
    return text


def _information(args: argparse.Namespace) -> str | None:
    """What an option asks to be told instead of reading a file."""
    if args.list_passes:
        from dlc.passes.registry import PASSES, load

        return "\n".join(f"{name:24} {summary(load(name))}" for name in PASSES)
    if args.show_dialects:
        from dlc.dialects import dialects

        return "\n".join(
            f"{dialect.name}\n" + "\n".join(f"    {op.name:24} {summary(op)}" for op in dialect.operations)
            for dialect in dialects()
        )
    if args.emit_irdl:
        from dlc.dialects.irdl import export

        return export(DIALECTS if args.emit_irdl == "all" else [args.emit_irdl])
    return None


def summary(documented: type) -> str:
    """The first line of a docstring."""
    return (documented.__doc__ or "").strip().partition("\n")[0]

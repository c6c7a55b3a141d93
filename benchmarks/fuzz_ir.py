"""Damages the modules under lit/ and feeds them to the parser, the verifier and the printer.

Whatever the text, the outcome is a module that survives being printed and read again, or a diagnostic, within
10 seconds and 1 GiB. `python benchmarks/fuzz_ir.py --count 10000` prints a summary; the exit code is 1 when a
text did anything else, and that text is written to a file.
"""

import argparse
import random
import re
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from dlc.diagnostics import DlcError, render
from dlc.dialects import context
from dlc.passes import registry
from dlc.passes.pipelines import STAGES, passes_until
from dlc.passes.text import parse_module, print_module

LIT = Path(__file__).parent.parent / "lit"
SECONDS = 10
BYTES = 1 << 30
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\w.$%@^!#]+|->|\S')
_HOSTILE = (
    *(
        "9" * 5000,
        "0x" + "F" * 300,
        "1.0e9999",
        "-",
        "i999999999",
        "!expr.decimal<-1, 99>",
        "%0#9999999",
        '"',
    ),
    *(
        "é",
        "\x00",
        "\ud7ff",
        "\\",
        "loc(",
        "dense<1> : tensor<99999x99999xi64>",
        "vector<4x4xi1>",
        "^bb0:",
        "{-#",
    ),
    *(
        "affine_map<(d0) -> (d0 floordiv 0)>",
        "@a::@b",
        "builtin.module",
        "}",
        "{",
        "unit",
        "array<i64: 1>",
        "true",
    ),
    *("#alias", "!alias = i64", "%a, %a = ", "nan", "() -> ()", "complex<f64>", 'opaque<"a", "b">', "none"),
)


class Hang(BaseException):
    """Raised by the alarm; no handler of ordinary exceptions catches it."""


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="texts to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage", choices=STAGES, help="run the passes up to this stage over what survives")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, _hang)

    passes = [registry.load(name)() for name in passes_until(args.stage)] if args.stage else []
    pieces = corpus()
    outcomes: Counter[str] = Counter()
    failures = 0
    slowest = 0.0
    for index in range(args.count):
        text = mutate(pieces, random.Random(f"{args.seed}/{index}"))
        start = time.perf_counter()
        signal.alarm(SECONDS)
        try:
            outcomes[attempt(text, passes)] += 1
        except (Exception, Hang) as error:
            failures += 1
            outcomes[f"FAILED {type(error).__name__}"] += 1
            _keep(text, index, error)
        finally:
            signal.alarm(0)
        slowest = max(slowest, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{args.count} texts, {failures} failures, slowest {slowest:.2f} s, peak {peak:.0f} MiB")
    for outcome, count in outcomes.most_common():
        print(f"  {count:6} {outcome}")
    return 1 if failures else 0


def corpus() -> list[list[str]]:
    """The pieces of every module under lit/, file by file, without comments."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(LIT.rglob("*.mlir")))
    return [
        [re.sub(r"(?m)^\s*//.*\n", "", piece) for piece in re.split(r"(?m)^// -----\n", text)]
        for text in texts
    ]


def attempt(text: str, passes: Sequence[ModulePass] = ()) -> str:
    """Parse, verify, print, read again and run passes; the code of the diagnostic, or `ok`."""
    try:
        module = parse_module(text, "fuzz.mlir", context())
    except DlcError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        render(error)
        return error.code
    for generic in (False, True):
        survives(module, generic)
    try:
        for pass_ in passes:
            pass_.apply(context(), module)
            module.verify()
    except DlcError as error:
        return f"{error.code} in a pass"
    return "ok"


def survives(module: ModuleOp, generic: bool) -> None:
    """AssertionError unless the text of a module gives the same module."""
    text = print_module(module, generic=generic)
    again = print_module(parse_module(text, "printed.mlir", context()), generic=generic)
    assert text == again, f"printed:\n{text}\nread and printed again:\n{again}"


def mutate(pieces: list[list[str]], rng: random.Random) -> str:
    """A few damages to a piece."""
    text = rng.choice(rng.choice(pieces))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        text = rng.choice(_MUTATIONS)(text, rng)
        if rng.random() < 0.1:
            other = rng.choice(rng.choice(pieces))
            cut = rng.randrange(len(text) + 1)
            text = text[:cut] + other[rng.randrange(len(other) + 1) :]
    return text


def _span(text: str, rng: random.Random, longest: int) -> tuple[int, int]:
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.randint(1, longest))


def _flip(text: str, rng: random.Random) -> str:
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 8)):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data.decode(errors="replace")


def _delete(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng, 60)
    return text[:start] + text[end:]


def _duplicate(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng, 200)
    return text[:end] + text[start:end] * rng.choice((1, 1, 2, 50)) + text[end:]


def _swap(text: str, rng: random.Random) -> str:
    tokens = list(_TOKEN.finditer(text))
    if len(tokens) < 2:
        return text
    kind = rng.choice(tokens)[0][0]
    alike = [token for token in tokens if token[0][0] == kind]
    first, second = sorted(rng.sample(alike * 2, 2), key=lambda token: token.start())
    between = text[first.end() : second.start()]
    return text[: first.start()] + second[0] + between + first[0] + text[second.end() :]


def _replace(text: str, rng: random.Random) -> str:
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return text
    token = rng.choice(tokens)
    alike = [other for other in tokens if other[0][0].isalnum() == token[0][0].isalnum()]
    other = rng.choice(_HOSTILE) if rng.random() < 0.3 else rng.choice(alike)[0]
    return text[: token.start()] + other + text[token.end() :]


def _nest(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng, 80)
    opening, closing = rng.choice(("()", "[]", "{}", "<>", ("!expr.nullable<", ">"), ("[#table.agg<", ">]")))
    depth = rng.choice((1, 2, 10, 45, 100, 20_000))
    return text[:start] + opening * depth + text[start:end] + closing * depth + text[end:]


_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_flip, _delete, _duplicate, _swap, _replace, _replace, _replace, _nest),
)


def _hang(_: int, __: FrameType | None) -> None:
    raise Hang(f"took over {SECONDS} s")


def _keep(text: str, index: int, error: BaseException) -> None:
    with tempfile.NamedTemporaryFile("w", prefix=f"fuzz-{index}-", suffix=".mlir", delete=False) as file:
        file.write(text)
    print(f"{file.name}: {type(error).__name__}: {str(error)[:2000]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

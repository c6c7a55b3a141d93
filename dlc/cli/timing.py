"""How long each step of a command took."""

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter

_RULE = f"===-{'-' * 73}-==="


class Timing:
    """Seconds by name, in the order in which names first came up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        """Count a duration under a name."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @contextmanager
    def measure(self, name: str) -> Generator[None]:
        """Count the time within the context."""
        start = perf_counter()
        try:
            yield
        finally:
            self.add(name, perf_counter() - start)

    def table(self) -> str:
        """A report in the form of MLIR's."""
        total = sum(self.seconds.values())
        rows = [*self.seconds.items(), ("Total", total)]
        return "\n".join(
            [
                _RULE,
                "... Execution time report ...".center(len(_RULE)).rstrip(),
                _RULE,
                f"  Total Execution Time: {total:.4f} seconds",
                "",
                "  ----Wall Time----  ----Name----",
                *(f"  {seconds:8.4f} ({seconds / (total or 1):6.1%})  {name}" for name, seconds in rows),
            ]
        )

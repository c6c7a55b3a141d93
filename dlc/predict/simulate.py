"""Walks a plan as the executor does, on a machine model instead of ranks.

Ranks are counted, not listed: the members of a gang do the same at the same time, so a gang of 100,000 ranks
costs what one of two does. A loop is walked once and multiplied:
clocks in its body are those of the first round.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dlc.diagnostics import DlcError
from dlc.hwspec.model import Machine
from dlc.predict.coefficients import Coefficients
from dlc.predict.costs import Cost, Pricer
from dlc.predict.instructions import Gang, drain
from dlc.predict.prediction import START, Interval, Prediction, Span, Step
from dlc.predict.resources import Resources
from dlc.predict.training import ALL_RULES, start

if TYPE_CHECKING:
    from dlc.runtime.plan import Gang as PlanGang
    from dlc.runtime.plan import Plan

Json = dict[str, Any]
Observed = Mapping[tuple[str, int], tuple[float, float]]

_RUNTIME_BYTES = (
    150 << 20
)  # of a rank before it holds any frame: interpreter, libraries, their threads (measured)
_MPI_BYTES = 10 << 20  # more where there are others to talk to
_XLA_BYTES = 160 << 20  # more where it runs kernels
_COMPILER_BYTES = 100 << 20  # more where it compiles them
_MOST_STEPS = 1_000_000
_LINKS = 0.5  # spread of the time that links and storage take: their latencies are seldom published


def idle_bytes(ranks: int, *, kernels: bool, compiling: bool) -> int:
    """Memory of one of so many ranks beside its values."""
    xla = kernels * _XLA_BYTES + compiling * _COMPILER_BYTES
    return _RUNTIME_BYTES + (ranks > 1) * _MPI_BYTES + xla


def simulate(
    plan: Plan,
    machine: Machine | Resources,
    coefficients: Coefficients | None = None,
    *,
    ranks: int | None = None,
    observed: Observed | None = None,
    compiled: Collection[str] = (),
) -> Prediction:
    """What a plan takes on a machine: time, traffic, memory, FLOP, energy and price, without advice.

    `ranks` runs gangs of the whole world on another number of ranks than the plan is for. `observed` gives
    the rows and bytes that steps of a run really gave, by gang and index, instead of the estimates in the
    plan, and `compiled` names the kernels that XLA has compiled before. Raises DLC520 for an instruction
    that has no cost rule, and DLC522 for gangs that wait for each other for ever.
    """
    resources = machine if isinstance(machine, Resources) else Resources.of(machine)
    world = ranks or plan.world_size
    return _Run(plan, resources, coefficients or Coefficients(), world, observed or {}, compiled).walk()


class _Run:
    """One walk: clocks of the gangs, messages under way, and the steps so far."""

    def __init__(
        self,
        plan: Plan,
        resources: Resources,
        coefficients: Coefficients,
        ranks: int,
        observed: Observed,
        compiled: Collection[str],
    ) -> None:
        self.plan = plan
        self.resources = resources
        self.coefficients = coefficients
        self.ranks = ranks
        self.observed = observed
        self.compiled = compiled
        self.steps: list[Step] = []
        self.spans: list[Span] = []
        self.spreads: dict[str, float] = {}
        self.sent: dict[tuple[int, int], tuple[float, float]] = {}
        self.finished: dict[str, float] = {}

    def walk(self) -> Prediction:
        gangs = [(self._gang(gang), gang) for gang in self.plan.gangs]
        walks = {
            gang.name: self._walk_gang(gang, entry, self._before(number))
            for number, (gang, entry) in enumerate(gangs)
        }
        while walks:
            progress = len(self.steps), len(walks), len(self.finished)
            for name, walk in list(walks.items()):
                if next(walk, None) is None:
                    del walks[name]
            if progress == (len(self.steps), len(walks), len(self.finished)):
                raise DlcError(
                    "DLC522",
                    f"the gangs {', '.join(walks)} of {self.plan.program} wait for each other for ever",
                    help="compile the program again; `dlc opt -p verify-plan` finds where",
                )
        return self._result([gang for gang, _ in gangs])

    def _gang(self, gang: PlanGang) -> Gang:
        world = len(gang.ranks) == self.plan.world_size
        placement = self.resources.place(self.ranks if world else len(gang.ranks))
        return Gang(gang.name, self.plan, Pricer(self.resources, self.coefficients, placement), self.compiled)

    def _before(self, number: int) -> list[str]:
        """Gangs that share a rank with this one and come first."""
        members = set(self.plan.gangs[number].ranks)
        return [gang.name for gang in self.plan.gangs[:number] if members & set(gang.ranks)]

    def _walk_gang(self, gang: Gang, entry: PlanGang, before: list[str]) -> Iterator[bool]:
        """Yields True whenever the gang cannot go on yet."""
        while any(name not in self.finished for name in before):
            yield True
        clock = max((self.finished[name] for name in before), default=0.0)
        first = Cost()
        start(gang, entry.instructions, first)
        clock = self._record(gang, START, {"op": "start"}, first, clock, 1)
        for index, instruction in enumerate(entry.instructions):
            if instruction["op"] == "recv":
                while (message := self._message(instruction, entry)) is None:
                    yield True
                gang.arriving, sent_at = message
                clock = max(clock, sent_at)
            clock = self._step(gang, (index,), instruction, clock, 1)
            if instruction["op"] == "send":
                key = (instruction["peer"], instruction["tag"])
                self.sent[key] = (gang.frames[instruction["in"]].bytes, clock)
        self.finished[gang.name] = clock

    def _message(self, instruction: Json, entry: PlanGang) -> tuple[float, float] | None:
        return next(
            (
                self.sent[rank, instruction["tag"]]
                for rank in entry.ranks
                if (rank, instruction["tag"]) in self.sent
            ),
            None,
        )

    def _step(self, gang: Gang, path: tuple[int, ...], instruction: Json, clock: float, times: int) -> float:
        """Walk one instruction that runs so many times; the clock after the first."""
        if len(self.steps) >= _MOST_STEPS:
            raise DlcError("DLC520", f"{self.plan.program} has more than {_MOST_STEPS:,} steps")
        if instruction["op"] == "for":
            return self._loop(gang, path, instruction, clock, times)
        rule = ALL_RULES.get(instruction["op"])
        if rule is None:
            raise DlcError(
                "DLC520",
                f"there is no cost rule for the instruction {instruction['op']!r}",
                loc=self.plan.location(instruction["loc"]),
                help="predict it with the version of dlc that compiled it",
            )
        cost = Cost()
        gang.observed = self.observed.get((gang.name, path[0])) if times == 1 else None
        rule(gang, instruction, cost)
        gang.settle(cost)
        finish = self._record(gang, path[0], instruction, cost, clock, times)
        self.spans.append(Span(gang.name, path, clock, finish))
        return finish

    def _loop(self, gang: Gang, path: tuple[int, ...], instruction: Json, clock: float, times: int) -> float:
        """Walk the body once, for all repetitions."""
        first, last = (
            gang.numbers.get(bound, 0.0) if isinstance(bound, str) else float(bound)
            for bound in (instruction["start"], instruction["stop"])
        )
        count = max(0, math.ceil((last - first) / instruction["step"]))
        gang.numbers[instruction["index"]] = first
        gang.rename(instruction["ins"], instruction["args"])
        after = clock
        for index, inner in enumerate(instruction["body"] if count else ()):
            after = self._step(gang, (*path, index), inner, after, times * count)
        gang.rename(instruction["yields"] if count else instruction["args"], instruction["outs"])
        finish = clock + count * (after - clock)
        self.spans.append(Span(gang.name, path, clock, finish, count))
        return finish

    def _record(
        self, gang: Gang, index: int, instruction: Json, cost: Cost, clock: float, times: int
    ) -> float:
        """Keep a step; the clock after its first repetition."""
        outputs = [gang.frames[name] for name in gang.outputs(instruction) if name in gang.frames]
        step = Step(
            gang=gang.name,
            index=index,
            op=instruction["op"],
            label=gang.label(instruction),
            loc=instruction.get("loc", -1),
            start=clock,
            seconds=Interval.around(cost.seconds * times, self._spread(cost.classes)),
            parts={name: part * times for name, part in cost.parts.items()},
            traffic={name: size * times for name, size in cost.traffic.items()},
            flops=cost.flops * times,
            rows=sum(frame.rows for frame in outputs),
            bytes=sum(frame.bytes for frame in outputs),
            times=times,
            algorithm=cost.algorithm,
            demands=tuple(cost.demands),
            split=any(frame.split for frame in outputs),
        )
        self.steps.append(step)
        for name, part in cost.classes.items():
            self.spreads[name] = self.spreads.get(name, 0.0) + part * times
        return clock + cost.seconds

    def _spread(self, classes: Mapping[str, float]) -> float:
        """Spread of a sum: a class errs everywhere alike, classes err independently of each other."""
        total = sum(classes.values())
        if not total:
            return 0.0
        known = self.coefficients.classes
        errors = [
            (seconds / total * (known[name].spread if name in known else _LINKS)) ** 2
            for name, seconds in classes.items()
        ]
        return sum(errors) ** 0.5

    def _idle_bytes(self) -> int:
        kernels = self.plan.kernels.keys()
        return idle_bytes(self.ranks, kernels=bool(kernels), compiling=bool(kernels - set(self.compiled)))

    def _result(self, gangs: list[Gang]) -> Prediction:
        seconds = max(self.finished.values(), default=0.0)
        place = self.resources.place(self.ranks)
        traffic: dict[str, float] = {}
        for step in self.steps:
            for name, size in step.traffic.items():
                traffic[name] = traffic.get(name, 0.0) + size
        resources, hours = self.resources, seconds / 3600
        result = Prediction(
            program=self.plan.program,
            machine=resources.machine,
            ranks=self.ranks,
            nodes=place.nodes,
            seconds=Interval.around(seconds, self._spread(self.spreads)),
            steps=tuple(self.steps),
            traffic=traffic,
            memory=drain(gangs, place, self._idle_bytes()),
            capacity=_capacity(resources),
            flops=sum(step.flops for step in self.steps),
            energy=None if resources.watts is None else resources.watts * place.nodes * seconds,
            price=None if resources.hourly is None else resources.hourly * place.nodes * hours,
            currency=resources.currency,
            spans=tuple(self.spans),
        )
        return replace(result, bottleneck=next(iter(result.parts), ""))


def _capacity(resources: Resources) -> dict[str, float]:
    device = resources.device
    return {"host": resources.memory} | ({device.kind: device.count * device.memory} if device else {})

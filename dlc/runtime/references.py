"""Checks that a plan holds together: every rank, constant, kernel and value that it names exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlc.runtime.validate import Invalid

if TYPE_CHECKING:
    from dlc.runtime.plan import Gang, Plan

Json = dict[str, Any]

_ONCE = ("result", "write")
_SAME_LENGTHS = {
    "parameters": ("outs", "tensors"),
    "to_tensor": ("outs", "columns", "dtypes"),
    "from_tensor": ("tensors", "columns"),
    "for": ("ins", "args", "yields", "outs"),
    "reduce": ("ins", "outs"),
    "save": ("ins", "names"),
    "load": ("ins", "outs", "names"),
}


def check_references(plan: Plan) -> None:
    """Raise Invalid unless every name in the plan stands for something."""
    for gang in plan.gangs:
        if len(set(gang.ranks)) != len(gang.ranks) or max(gang.ranks) >= plan.world_size:
            raise Invalid(f"the ranks of gang {gang.name[:40]} do not fit {plan.world_size} ranks")
        _Checker(plan, gang).check(gang.instructions, frozenset(), "instruction ")


def uses(code: Json) -> Iterator[str]:
    """The values that an instruction takes; those of a loop's body are its own."""
    yield from (code[key] for key in ("in", "frame", "splitters") if code.get(key) is not None)
    yield from code.get("ins", ())
    yield from code.get("values", ())
    match code["op"]:
        case "from_tensor":
            yield from code["tensors"]
        case "for":
            yield from (code[key] for key in ("start", "stop") if isinstance(code[key], str))
        case "batches" | "micro" | "log" | "save":
            yield from (code[key] for key in ("epoch", "step") if code.get(key) is not None)
        case _:
            pass


def definitions(code: Json) -> Iterator[str]:
    """The values that an instruction gives."""
    if "out" in code:
        yield code["out"]
    yield from code.get("outs", ())


@dataclass
class _Checker:
    plan: Plan
    gang: Gang

    def check(self, instructions: list[Json], outer: frozenset[str], where: str) -> set[str]:
        """The values that a list of instructions leaves; it sees those of `outer` but may not change them."""
        defined: set[str] = set()
        for number, code in enumerate(instructions):
            place = f"{where}{number} ({code['op']}) of gang {self.gang.name[:40]}"
            for value in uses(code):
                if value not in defined and value not in outer:
                    raise Invalid(f"{place} uses {value[:40]!r}, which is not defined")
            self._check_names(code, place)
            self._check_fragments(code, place)
            if code["op"] == "free":
                if outer & set(code["values"]):
                    raise Invalid(f"{place} frees a value of the instructions around its loop")
                defined.difference_update(code["values"])
            if code["op"] == "for":
                self._check_loop(code, outer | defined, f"{where}{number}.", place)
            elif outer and code["op"] in _ONCE:
                raise Invalid(f"{place} stands in a loop")
            if outer.intersection(definitions(code)):
                raise Invalid(f"{place} defines a value of the instructions around its loop again")
            defined.update(definitions(code))
        return defined

    def _check_names(self, code: Json, place: str) -> None:
        if code.get("root", 0) >= len(self.gang.ranks) or code.get("peer", 0) >= self.plan.world_size:
            raise Invalid(f"{place} names a rank that does not exist")
        suffix = {"constant": ".arrow", "parameters": ".safetensors"}.get(code["op"])
        if suffix is not None and code["name"] + suffix not in self.plan.constants:
            raise Invalid(f"{place} names a constant that does not exist")
        if len({len(code[key]) for key in _SAME_LENGTHS.get(code["op"], ())}) > 1:
            raise Invalid(f"{place} has lists of different lengths")
        if code["op"] == "batches":
            by_keys = code["keys"] is not None and code["owned"] != "local"
            if (by_keys and code["frame"] is None) or (code["owned"] == "hash" and not by_keys):
                raise Invalid(f"{place} needs the frame and the keys by which its rows were moved")

    def _check_loop(self, code: Json, outer: frozenset[str], where: str, place: str) -> None:
        own = [code["index"], *code["args"]]
        if len(set(own)) != len(own) or outer.intersection(own):
            raise Invalid(f"{place} defines a value twice")
        known = outer | set(own)
        known |= self.check(code["body"], known, where)
        for value in code["yields"]:
            if value not in known:
                raise Invalid(f"{place} yields {value[:40]!r}, which is not defined")

    def _check_fragments(self, code: Json, place: str) -> None:
        match code["op"]:
            case "run":
                self._check_fragment(code["fragment"], len(code["ins"]), len(code["outs"]), place)
            case "all_reduce":
                self._check_fragment(code["combine"], 1, 1, place)
            case "micro":
                fragment = code["fragment"]
                # It takes the number of rows and the tensors of the batches beside what is captured.
                if fragment["inputs"] < len(code["ins"]) + 2 or fragment["outputs"] != len(code["outs"]):
                    raise Invalid(f"the fragment of {place} takes or gives another number of values")
                self._check_modules([fragment["module"], fragment["masked"]], place)
            case _:
                pass

    def _check_fragment(self, fragment: Json, inputs: int, outputs: int, place: str) -> None:
        is_xla = fragment.get("kind") == "xla"
        gives = fragment["outputs"] if is_xla else len(fragment["outputs"])
        if fragment["inputs"] != inputs or gives != outputs:
            raise Invalid(f"the fragment of {place} takes or gives another number of values")
        if not is_xla:
            _check_operators(fragment, place)
            return
        rows = fragment["rows"]
        if rows is not None and (max(rows["split"]) >= inputs or len(rows["outputs"]) != outputs):
            raise Invalid(f"the rows of {place} do not fit its fragment")
        self._check_modules([fragment["module"], rows and rows["masked"]], place)

    def _check_modules(self, names: list[str | None], place: str) -> None:
        if any(name is not None and name not in self.plan.kernels for name in names):
            raise Invalid(f"{place} names a kernel that does not exist")


def _check_operators(fragment: Json, place: str) -> None:
    known = fragment["inputs"]
    for operator in fragment["ops"]:
        taken = [operator[key] for key in ("in", "left", "right") if key in operator]
        taken += operator.get("ins", [])
        if max(taken) >= known:
            raise Invalid(f"the {operator['op']} of {place} uses a value that is not defined")
        known += 1
    if any(index >= known for index in fragment["outputs"]):
        raise Invalid(f"the fragment of {place} gives a value that is not defined")

"""Machines written as text are read back as the same machines."""

from dataclasses import replace

import pytest

from dlc import hwspec
from dlc.hwspec.write import write

ODD = """
type interconnect Wire {
  bandwidth = 100 Gbit/s @spec("data sheet"); latency = 0.3 us @measured("bench", 12.5 %)
}
type node Thin {
  socket s[0..1] { cpu c { cores = 4; isa = ["avx2", "fma"]
                           compute = { f64: 1.6 GFLOP/s @spec, f32: 3 GFLOP/s } }
                   cache l3 { per = socket; capacity = 33 MiB }
                   memory ram { capacity = 7 GiB; bandwidth = 0.1 GB/s @measured(3 %) } }
  link s[0].c -> s[1].c : Wire
  nic a : Wire { latency = 0 s }
}
type node Fat extends Thin { socket s { memory ram { capacity = 1 TB @spec } } }
type gpu Nothing { }
machine odd {
  meta { source = "somewhere; else"; author = "n. n." }
  node thin[0..3] : Thin
  node fat : Fat { socket s { gpu g[0..1] : Nothing; link c <-> g[*] : Wire } }
  network net : star(ports = 12) { attach = [thin[*].a, fat.a]; via = Wire }
  store disk { kind = file; read = 1 GB/s; attach = net }
  grid mesh { over = thin[*]; shape = [2, 2]; axes = ["x", "y"] }
}
"""


@pytest.mark.parametrize("name", hwspec.catalog_names())
def test_every_machine_of_the_catalog_survives(name: str) -> None:
    machine = hwspec.load(name)
    again = hwspec.loads(write(machine))
    assert again == machine
    assert again.fingerprint == machine.fingerprint


def test_every_form_of_value_survives() -> None:
    machine = hwspec.loads(ODD)
    assert hwspec.loads(write(machine)) == machine


def test_what_a_string_cannot_hold_is_replaced() -> None:
    machine = replace(hwspec.loads(ODD), meta=(("note", 'a "quoted"\nword'),))
    assert hwspec.loads(write(machine)).meta == (("note", "a 'quoted' word"),)

"""What the model answers about machines whose figures are known."""

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlc import hwspec
from dlc.diagnostics import DlcError
from dlc.hwspec.schema import KINDS, TOPOLOGIES

NODE = "cpu c { cores = 4 }; memory ram { capacity = 8 GB; bandwidth = 20 GB/s }"


@pytest.fixture(scope="module")
def hal() -> hwspec.Machine:
    return hwspec.load("hal")


def star(hosts: int, cores: int = 1) -> hwspec.Machine:
    """Hosts on a full-duplex star of 12.5 GB/s and 1 µs, with memory that never limits."""
    return hwspec.loads(f"""
        type interconnect wire {{ bandwidth = 12.5 GB/s; duplex = full; latency = 1 us }}
        machine cloud {{
          node n[0..{hosts - 1}] {{
            cpu c {{ cores = {cores} }}; nic h : wire
            memory ram {{ capacity = 64 GB; bandwidth = 1000 TB/s }}
          }}
          network net : star {{ attach = n[*].h; via = wire }}
        }}""")


def test_hal_has_the_published_parts(hal: hwspec.Machine) -> None:
    assert (hal.count("node"), hal.count("socket"), hal.count("gpu"), hal.cores) == (16, 32, 64, 640)
    assert hal.flops("f64", "gpu") == 64 * 7.8e12
    assert hal.memory_bytes == 256e9
    assert hal.capacity("n[*].s[*].g[*].hbm") == 64 * 16e9
    assert hal.capacity("n[0].s[1].ddr") == 128e9
    assert hal.capacity("flash") == 244e12


def test_a_type_that_extends_another_overrides_its_parts() -> None:
    strand = hwspec.load("strand")
    assert (strand.count("node"), strand.cores) == (185, 8880)
    assert (strand.capacity("thin[0]"), strand.capacity("fat[0]")) == (384e9, 768e9)
    assert strand.memory_bytes == 384e9
    # 185 nodes x 48 cores x 2.1 GHz x 32 operations per cycle.
    assert strand.flops("f64") == pytest.approx(596.736e12)


def test_a_block_overrides_its_type_and_leaves_the_rest() -> None:
    machine = hwspec.loads("""
        type memory DDR { capacity = 8 GB @spec; bandwidth = 20 GB/s @measured("stream", 3 %) }
        type node N { cpu c { cores = 4 }; memory m[0..1] : DDR }
        type node M extends N { memory m { capacity = 16 GB } }
        machine x { node a : M { cpu c { cores = 6 } } }""")
    node = machine.tree[0]
    cpu, memory = node.parts
    assert (cpu.number("cores"), memory.copies, memory.number("capacity")) == (6, 2, 16e9)
    bandwidth = memory.get("bandwidth")
    assert bandwidth == hwspec.Quantity(20e9, "B/s", hwspec.Provenance("measured", "stream", 0.03))


def test_a_part_that_names_a_type_starts_over_from_it() -> None:
    machine = hwspec.loads(f"""
        type gpu V {{ launch = 5 us; compute = {{ f64: 7.8 TFLOP/s }} }}
        type gpu A {{ compute = {{ f64: 9.7 TFLOP/s }} }}
        type node N {{ {NODE}; gpu g[0..3] : V }}
        machine x {{ node n : N {{ gpu g : A }} }}""")
    gpu = machine.of_kind("gpu")[0]
    assert (gpu.copies, gpu.part.type, gpu.part.get("launch")) == (4, "A", None)


def test_a_number_without_a_mark_is_assumed() -> None:
    cores = hwspec.loads(f"machine x {{ node n {{ {NODE} }} }}").of_kind("cpu")[0].part.get("cores")
    assert cores == hwspec.Quantity(4, "1", hwspec.Provenance("assumed"))


def test_the_way_between_gpus_of_two_nodes(hal: hwspec.Machine) -> None:
    way = hal.path("n[0].s[0].g[1]", "n[3].s[1].g[0].hbm")
    assert [hop.source for hop in way] == [
        *("n[0].s[0].g[1]", "n[0].s[0].p9", "n[0].hca", "ib", "n[3].hca", "n[3].s[1].p9", "n[3].s[1].g[0]")
    ]
    assert way[-1].target == "n[3].s[1].g[0].hbm"
    assert min(hop.bandwidth for hop in way) == 12.5e9


def test_a_transfer_takes_all_delays_and_the_slowest_channel(hal: hwspec.Machine) -> None:
    assert hal.transfer_seconds(1e9, "n[0].s[0].g[0]", "n[0].s[0].g[1]") == pytest.approx(2e-6 + 1e9 / 68e9)
    assert hal.transfer_seconds(1e9, "n[0]", "n[15]") == pytest.approx(1.3e-6 + 1e9 / 12.5e9)
    assert hal.transfer_seconds(1e9, "n[2]", "n[2]") == 0
    assert hal.transfer_seconds(1e9, "flash", "n[0]") == pytest.approx(1e9 / 12.5e9, rel=1e-3)


def test_storage_has_a_rate_for_each_direction() -> None:
    laptop = hwspec.loads(f"""machine x {{ node n {{ {NODE}
        disk d {{ capacity = 1 TB; read = 2 GB/s; write = 1 GB/s }} }} }}""")
    assert laptop.transfer_seconds(1e9, "n.d", "n.c") == pytest.approx(0.5)
    assert laptop.transfer_seconds(1e9, "n.c", "n.d") == pytest.approx(1.0)


def test_a_directed_link_is_a_way_in_one_direction_only() -> None:
    machine = hwspec.loads(f"""machine x {{ node n {{ {NODE}
        gpu g {{ }}; link c -> g {{ bandwidth = 5 GB/s }} }} }}""")
    assert machine.transfer_seconds(1e9, "n.c", "n.g") == pytest.approx(0.2)
    with pytest.raises(DlcError, match=r"nothing joins `n\.g` and `n\.c`"):
        machine.path("n.g", "n.c")


def test_a_query_names_what_it_does_not_find(hal: hwspec.Machine) -> None:
    with pytest.raises(DlcError, match=r"did you mean `flash`"):
        hal.capacity("flush")
    with pytest.raises(DlcError, match=r"`n\[\*\]` selects 16 parts"):
        hal.path("n[*]", "n[0]")


def test_all_to_all_on_a_star_agrees_with_the_closed_form() -> None:
    # 63 messages of 1 MiB leave each of 64 hosts: 63 * 2**20 / 12.5e9 s + 1 us.
    seconds = star(64).exchange_seconds(64 * 2**20, 64)
    assert seconds * 1e6 == pytest.approx(5285.82, abs=0.01)


def test_an_exchange_waits_for_the_narrowest_cut() -> None:
    wire = "type interconnect wire { bandwidth = 10 GB/s; latency = 0 s }"
    node = "cpu c { cores = 1 }; nic h : wire; memory ram { capacity = 1 GB; bandwidth = 1000 TB/s }"
    for up, slower in ((8, 1), (4, 2), (2, 4)):
        tree = f"fat_tree(down = [8, 8], up = [{up}]) {{ attach = n[*].h; via = wire }}"
        machine = hwspec.loads(f"{wire} machine m {{ node n[0..63] {{ {node} }} network x : {tree} }}")
        assert machine.bisection("x") == 32 * 10e9 / slower
        # Half of 64 ranks send half of 64 MB each over the cut.
        assert machine.exchange_seconds(64e6, 64) == pytest.approx(
            max(63e6 / 10e9, 32 * 32e6 / (32 * 10e9 / slower))
        )


def test_what_has_no_network_has_no_bisection() -> None:
    assert hwspec.load("laptop").bisection() == math.inf
    with pytest.raises(DlcError, match="no network `ibb` joins nodes") as caught:
        hwspec.load("hal").bisection("ibb")
    assert caught.value.help == "did you mean `ib`?"


def test_the_power_of_a_node_is_its_own_or_that_of_its_parts() -> None:
    machine = hwspec.loads(f"""
        type node A {{ {NODE}; gpu g[0..3] {{ power = 300 W; idle = 40 W }}; nic h {{ bandwidth = 1 GB/s }} }}
        machine x {{ node a[0..9] : A; node b[0..1] : A {{ power = 2 kW; price = 4 USD/h }}
          network net : star {{ attach = [a[*].h, b[*].h] }} }}""")
    assert (machine.power.busy, machine.power.idle) == (10 * 1200 + 2 * 2000, 12 * 160)
    assert machine.price_per_node_hour is None  # nodes of type a have none


def test_the_price_of_unequal_nodes_is_their_mean() -> None:
    machine = hwspec.loads(f"""
        type node A {{ {NODE}; price = 1 EUR/h; nic h {{ bandwidth = 1 GB/s }} }}
        machine x {{ node a[0..2] : A; node b : A {{ price = 5 EUR/h }}
          network net : star {{ attach = [a[*].h, b.h] }} }}""")
    price = machine.price_per_node_hour
    assert price == hwspec.Quantity(2, "EUR/h", hwspec.Provenance("assumed"))


def test_nics_are_dealt_out_to_the_parts_beside_them() -> None:
    machine = hwspec.loads(f"""
        type interconnect wire {{ bandwidth = 10 GB/s }}
        type node N {{
          socket s[0..1] {{ {NODE}; gpu g[0..3]; link c <-> g[*] {{ bandwidth = 5 GB/s }} }}
          link s[0].c <-> s[1].c {{ bandwidth = 20 GB/s }}
          nic h[0..3] : wire {{ affinity = s[*].g[*] }}; nic e[0..1] : wire {{ affinity = s[*] }}
        }}
        machine x {{ node n[0..1] : N; network ib : star {{ attach = n[*].h[*]; via = wire }}
          network eth : star {{ attach = n[*].e[*]; via = wire }} }}""")
    for socket in range(2):
        for gpu in range(4):
            hop = machine.path(f"n[0].s[{socket}].g[{gpu}]", "n[1].h[0]")[0]
            assert hop.target == f"n[0].h[{2 * socket + gpu // 2}]"
    assert len(machine.path("n[0].s[1].c", "n[0].e[1]")) == 1
    assert len(machine.path("n[0].s[1].c", "n[0].e[0]")) == 2


@pytest.mark.parametrize(("ranks", "most"), [(1, 1), (40, 40), (41, 21), (320, 40), (6400, 400)])
def test_ranks_fill_the_machine_node_by_node(hal: hwspec.Machine, ranks: int, most: int) -> None:
    assert hal.ranks_per_node(ranks) == most


def test_collectives_of_one_rank_take_no_time(hal: hwspec.Machine) -> None:
    assert hal.exchange_seconds(1e9, 1) == hal.broadcast_seconds(1e9, 1) == 0


def test_a_broadcast_takes_the_better_of_two_algorithms() -> None:
    hosts = star(16)
    assert hosts.broadcast_seconds(8, 16) == pytest.approx(4 * (1e-6 + 8 / 12.5e9))
    assert hosts.broadcast_seconds(1e9, 16) == pytest.approx(19e-6 + 2 * 1e9 * 15 / 16 / 12.5e9)


@pytest.mark.parametrize(
    ("k", "container", "count", "nodes"),
    [
        (1, "n[*].s[*]", 640, 0),
        (20, "n[*].s[*]", 32, 0),
        (21, "n[*]", 16, 0),
        (40, "n[*]", 16, 0),
        (80, "n[*]", 8, 2),
    ],
)
def test_islands_lie_in_the_smallest_part_that_holds_them(
    hal: hwspec.Machine, k: int, container: str, count: int, nodes: int
) -> None:
    (island,) = hal.islands(k)
    assert (island.container, island.count, island.nodes) == (container, count, nodes)


def test_a_gang_larger_than_the_machine_has_no_island(hal: hwspec.Machine) -> None:
    assert hal.islands(641) == ()


def test_the_fingerprint_follows_the_figures_alone() -> None:
    plain = hwspec.loads(f"machine x {{ node n {{ {NODE} }} }}")
    typed = hwspec.loads(f"# by type\ntype node N {{ {NODE} }}\nmachine x {{ node n : N }}")
    other = hwspec.loads(f"machine x {{ node n {{ {NODE.replace('8 GB', '9 GB')} }} }}")
    assert plain.fingerprint == typed.fingerprint != other.fingerprint


def test_size_costs_nothing() -> None:
    start = time.perf_counter()
    large = star(100_000, cores=64)
    seconds = large.exchange_seconds(1e6, 6_400_000) + large.transfer_seconds(1e6, "n[0]", "n[99999]")
    assert large.cores == 6_400_000
    assert math.isfinite(seconds)
    assert time.perf_counter() - start < 5  # an expansion of the nodes would take minutes


def test_every_machine_of_the_catalog_draws_as_a_tree() -> None:
    for name in hwspec.catalog_names():
        machine = hwspec.load(name)
        drawing = hwspec.show(machine)
        assert drawing.startswith(f"{machine.name}: {machine.count('node')} node")
        assert drawing.count("\n") > len(machine.placed)


def test_importing_the_package_needs_neither_parser_nor_ir() -> None:
    code = "import sys, dlc.hwspec; sys.exit(bool({'lark', 'xdsl'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_host_is_detected_once() -> None:
    assert hwspec.load("host") is hwspec.load("host")


def test_the_page_about_machines_lists_every_kind_with_its_properties() -> None:
    page = (Path(__file__).parents[2] / "docs" / "hw.md").read_text(encoding="utf-8")
    for kind, row in KINDS.items():
        names = ", ".join(
            f"**`{name}`**" if rule.required else f"`{name}`" for name, rule in row.properties.items()
        )
        assert f"| `{kind}` | {row.doc} | {names} |" in page
    for topology, arguments in TOPOLOGIES.items():
        for name, rule in arguments.items():
            shown = f"**`{name}`**" if rule.required else f"`{name}`"
            assert f"| `{topology}` | {shown} | {rule.doc} |" in page


def test_the_example_of_the_page_is_a_machine() -> None:
    page = (Path(__file__).parents[2] / "docs" / "hw.md").read_text(encoding="utf-8")
    example = hwspec.loads(page.split("```\n")[2])
    assert (example.count("node"), example.cores) == (110, 5280)

"""The machine that a Slurm job has been given."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.hwspec.detection import describe, read_facts
from dlc.hwspec.detection.slurm import allocation, expand
from tests.hwspec.fake_linux import GIB, detected, put, workstation

JOB = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NODELIST": "n[007-009,12]",
    "SLURM_JOB_CPUS_PER_NODE": "16(x4)",
    "SLURM_CPUS_ON_NODE": "16",
    "SLURM_NTASKS": "32",
    "SLURMD_NODENAME": "n008",
}


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ("login", ["login"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[08-10,7]", ["n08", "n09", "n10", "n7"]),
        ("a[1-2],b,c[5]x", ["a1", "a2", "b", "c5x"]),
        ("r[0-1]n[0-1]", ["r0n0", "r0n1", "r1n0", "r1n1"]),
        ("gpu-a100-[001-002]", ["gpu-a100-001", "gpu-a100-002"]),
        ("n[3-1]", []),
        ("n[1-x]", []),
        ("n[0-999999999]", []),
        ("n[0-99999]x[0-99999]", []),
        ("", []),
        ("(null)[", ["(null)"]),
    ],
)
def test_node_lists(nodes: str, names: list[str]) -> None:
    assert list(expand(nodes)) == names


@given(st.lists(st.tuples(st.from_regex("[a-z]{1,4}", fullmatch=True), st.integers(0, 99)), max_size=8))
def test_a_list_that_names_nodes_one_by_one_is_taken_as_it_is(parts: list[tuple[str, int]]) -> None:
    names = [f"{word}{index}" for word, index in parts]
    assert list(expand(",".join(names))) == names


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=3),
    st.sampled_from(["", "-x", "rack"]),
)
def test_ranges_keep_their_zeros(ranges: list[tuple[int, int, int]], tail: str) -> None:
    texts = [f"{first:0{width}}-{first + more:0{width}}" for first, more, width in ranges]
    wanted = [
        f"n{index:0{width}}{tail}"
        for first, more, width in ranges
        for index in range(first, first + more + 1)
    ]
    assert list(expand(f"n[{','.join(texts)}]{tail}")) == wanted
    assert list(expand(f"n[{','.join(texts)}]{tail}[0-1]")) == [
        name + digit for name, digit in product(wanted, "01")
    ]


@given(st.text(alphabet="n[]0-9,x()", max_size=40))
def test_hostile_lists_do_no_harm(nodes: str) -> None:
    assert all("[" not in name for name in expand(nodes))


def test_a_job_of_four_nodes_is_a_machine_of_four_nodes(tmp_path: Path) -> None:
    machine = detected(tmp_path, workstation(tmp_path), JOB)
    assert (machine.count("node"), machine.cores) == (4, 32)
    assert dict(machine.meta)["slurm_nodes"] == "n007 n008 n009 n12"
    assert dict(machine.meta)["slurm_tasks"] == "32"
    # Nothing says how the nodes are joined, so the way is assumed; without an interface, from node to node.
    assert machine.transfer_seconds(1.25e9, "n[0]", "n[3]") == pytest.approx(1, rel=0.01)


def test_messages_between_nodes_take_the_fastest_interfaces(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    for adapter in ("mlx5_0", "mlx5_1"):
        ports = f"sys/class/infiniband/{adapter}/ports/1"
        put(tmp_path, {f"{ports}/state": "4: ACTIVE", f"{ports}/rate": "100 Gb/sec (4X EDR)"})
    put(
        tmp_path,
        {
            "sys/class/net/eno1/operstate": "up",
            "sys/class/net/eno1/device/x": "",
            "sys/class/net/eno1/speed": "1000",
        },
    )
    machine = detected(tmp_path, cpus, {**JOB, "SLURM_GPUS_ON_NODE": "4"})
    assert machine.count("gpu") == 16
    assert machine.fabric.remote.pair == 12.5e9
    assert machine.fabric.remote.total == 25e9
    assert machine.fabric.remote.latency == 2e-6


@pytest.mark.parametrize(
    ("variables", "cores", "memory"),
    [
        ({}, 8, 256 * GIB),
        # Eight of sixteen threads: Slurm counts threads, or, as it may be set up, all eight cores.
        ({"SLURM_CPUS_ON_NODE": "6"}, 3, 256 * GIB),
        ({"SLURM_CPUS_ON_NODE": "8"}, 8, 256 * GIB),
        ({"SLURM_MEM_PER_NODE": "65536"}, 8, 64 * GIB),
        ({"SLURM_MEM_PER_CPU": "1024"}, 8, 16 * GIB),
        ({"SLURM_MEM_PER_NODE": "0"}, 8, 256 * GIB),
        ({"SLURM_CPUS_ON_NODE": "junk", "SLURM_MEM_PER_NODE": "1x"}, 8, 256 * GIB),
    ],
)
def test_a_job_has_what_it_was_given_of_a_node(
    variables: dict[str, str], cores: int, memory: int, tmp_path: Path
) -> None:
    job = {**JOB, "SLURM_JOB_CPUS_PER_NODE": "", **variables}
    machine = detected(tmp_path, workstation(tmp_path), job)
    assert machine.cores == 4 * cores
    assert machine.memory_bytes == memory


def test_nodes_of_which_slurm_gave_more_or_less_have_cores_in_proportion(tmp_path: Path) -> None:
    job = {**JOB, "SLURM_JOB_CPUS_PER_NODE": "16(x3),4"}
    machine = detected(tmp_path, workstation(tmp_path), job)
    nodes = {entry.part.name: entry.copies for entry in machine.of_kind("node")}
    assert nodes == {"n0": 3, "n1": 1}
    assert machine.cores == 3 * 8 + 2


def test_gpus_that_only_slurm_speaks_of(tmp_path: Path) -> None:
    machine = detected(tmp_path, workstation(tmp_path), {**JOB, "SLURM_GPUS_PER_NODE": "a100:4"})
    assert machine.count("gpu") == 16
    assert machine.of_kind("gpu")[0].part.type == "a100"
    here = {**JOB, "SLURM_GPUS_ON_NODE": "2"}
    assert detected(tmp_path, workstation(tmp_path), here).count("gpu") == 8


@pytest.mark.parametrize("counts", ["", "16", "16(x5)", "x", "16(x4),", "0(x4)", "16(x99999999)"])
def test_counts_that_do_not_fit_the_nodes_are_taken_as_missing(counts: str, tmp_path: Path) -> None:
    found = allocation({**JOB, "SLURM_JOB_CPUS_PER_NODE": counts})
    assert found is not None
    assert found.cpus == ()
    assert detected(tmp_path, workstation(tmp_path), {**JOB, "SLURM_JOB_CPUS_PER_NODE": counts}).cores == 32


def test_outside_a_job_there_is_one_node(tmp_path: Path) -> None:
    cpus = workstation(tmp_path)
    assert allocation({"PATH": "/bin"}) is None
    assert describe(read_facts(tmp_path, cpus, {})).count("node") == 1

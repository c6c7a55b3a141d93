"""Machines for MLIR and as linked data: what is written is read by tools that know nothing of dlc."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlc import hwspec
from dlc.hwspec import exporters
from dlc.hwspec.exporters.jsonld import CONTEXT
from dlc.hwspec.parts import Quantity, Table

MACHINES = [name for name in hwspec.catalog_names() if name != "host"]
GRID = """
    machine m {
      node n[0..3] {
        cpu c { cores = 8; clock = 2 GHz; cache l2 { capacity = 1 MiB }; cache l1d { capacity = 32 KiB } }
        memory ram { capacity = 64 GB; bandwidth = 100 GB/s }
        gpu g[0..1] { memory hbm { capacity = 80 GB @spec; bandwidth = 2 TB/s @measured("stream", 3 %) } }
        nic h { bandwidth = 12.5 GB/s @spec("doi:10.1000/1") }
      }
      network net : star { attach = n[*].h }
      grid mesh { over = n[*].g[*]; shape = [2, 4]; axes = ["x", "y"] }
    }"""


def written(machine: hwspec.Machine, format: str) -> str:
    (text,) = exporters.write(machine, format).values()
    return text


def mlir_opt(text: str) -> str:
    """What the real mlir-opt makes of a module."""
    mlir = pytest.importorskip("mlir", reason="MLIR is not installed: pip install 'dlc[mlir]'")
    tool = Path(mlir.__path__[0]) / "bin" / "mlir-opt"
    if not tool.exists():
        pytest.skip("mlir-opt is not installed: pip install 'dlc[mlir]'")
    result = subprocess.run([tool], input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("format", ["dlti", "shard"])
def test_mlir_reads_every_machine_of_the_catalog(name: str, format: str) -> None:
    printed = mlir_opt(written(hwspec.load(name), format))
    assert ("dlti.target_system_spec" if format == "dlti" else "shard.grid") in printed


def test_the_specification_has_a_device_for_each_kind_of_processor() -> None:
    text = written(hwspec.loads(GRID), "dlti")
    assert '"CPU" = #dlti.target_device_spec<' in text
    # The names that MLIR's own passes look up.
    assert '"L1_cache_size_in_bytes" = 32768 : i64' in text
    assert '"L2_cache_size_in_bytes" = 1048576 : i64' in text
    assert '"memory_bandwidth_in_bytes_per_second" = 2000000000000.0 : f64' in text
    assert mlir_opt(text).count("target_device_spec") == 2


def test_a_device_has_the_caches_and_the_memory_beside_it_and_no_others() -> None:
    text = written(hwspec.load("frontier"), "dlti")
    cpu, gpu = text.split('"GPU"')
    # One of four NUMA domains, not the node, and no cache of the host for a GPU.
    assert '"memory_capacity_in_bytes" = 128000000000 : i64' in cpu
    assert '"L3_cache_size_in_bytes" = 33554432 : i64' in cpu
    assert '"memory_capacity_in_bytes" = 64000000000 : i64' in gpu
    assert "cache_size" not in gpu


def test_a_grid_is_one_of_the_shard_dialect_and_nodes_by_processors_stand_in_for_none() -> None:
    assert "shard.grid @mesh(shape = 2x4)" in mlir_opt(written(hwspec.loads(GRID), "shard"))
    assert "shard.grid @n(shape = 16x4)" in mlir_opt(written(hwspec.load("hal"), "shard"))


def entities(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from entities(value)
    elif isinstance(document, list):
        for value in document:
            yield from entities(value)


def quantities(machine: hwspec.Machine) -> list[Quantity]:
    values = [value for placed in machine.placed for _, value in placed.part.properties]
    values += [entry for value in values if isinstance(value, Table) for _, entry in value.entries]
    return [value for value in values if isinstance(value, Quantity)]


@pytest.mark.parametrize("name", MACHINES)
def test_every_number_is_there_with_its_unit_and_where_it_comes_from(name: str) -> None:
    machine = hwspec.load(name)
    document = json.loads(written(machine, "jsonld"))
    told = [entity for entity in entities(document) if "schema:measurementMethod" in entity]
    assert len(told) == len(quantities(machine)) + len(machine.total)
    assert all(entity["qudt:ucumCode"] and "schema:value" in entity for entity in told)
    kinds = [entity["schema:measurementMethod"] for entity in told]
    assert sorted(set(kinds)) == sorted({quantity.provenance.kind for quantity in quantities(machine)})


def test_sources_are_links_where_they_can_be_followed() -> None:
    document = json.loads(written(hwspec.loads(GRID), "jsonld"))
    by_value = {str(e["schema:value"]): e for e in entities(document) if "qudt:ucumCode" in e}
    assert by_value["12500000000"]["prov:wasDerivedFrom"]["@id"] == "https://doi.org/10.1000/1"
    assert by_value["2000000000000"]["prov:wasDerivedFrom"]["schema:name"] == "stream"
    assert by_value["2000000000000"]["qudt:relativeStandardUncertainty"] == 0.03
    assert by_value["2000000000000"]["qudt:unit"] == "unit:BYTE-PER-SEC"


@pytest.mark.parametrize("name", MACHINES)
def test_no_term_is_without_a_vocabulary(name: str) -> None:
    document = json.loads(written(hwspec.load(name), "jsonld"))
    for entity in entities(document):
        if entity is document["@context"] or set(entity) & {"@container"} or entity == {"@type": "@id"}:
            continue
        for term in entity:
            assert term.startswith("@") or term.partition(":")[0] in CONTEXT, term


@pytest.mark.parametrize("name", MACHINES)
def test_a_json_ld_processor_expands_it_without_a_network(name: str) -> None:
    jsonld = pytest.importorskip("pyld.jsonld", reason="PyLD is not installed: pip install pyld")

    def unreachable(url: str, options: object) -> None:
        raise AssertionError(f"{url} was asked for")

    options = {"documentLoader": unreachable, "base": "https://example.org/machine"}
    (machine,) = jsonld.expand(json.loads(written(hwspec.load(name), "jsonld")), options)
    assert machine["@type"][0].startswith("https://hpc-fair.github.io/ontology#")
    cores = machine["https://hpc-fair.github.io/ontology#totalClusterCPUCoreCount"]
    assert cores == [{"@value": hwspec.load(name).cores}]

"""What says how to cite the project, and what describes it to catalogues, agrees with the package itself."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import dlc

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def codemeta() -> dict[str, Any]:
    return json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    """CITATION.cff, of which plain entries and lists of plain entries are read."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    entries = {key: value.strip().strip('"') for key, value in re.findall(r"(?m)^([\w-]+): (.+)$", text)}
    lists = re.findall(r"(?m)^([\w-]+):\n((?:  - .*\n?)+)", text)
    return entries | {key: re.findall(r"- (.*)", block) for key, block in lists}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_codemeta_and_citation_tell_the_same(codemeta: dict[str, Any], citation: dict[str, Any]) -> None:
    name, _, description = citation["title"].partition(": ")
    assert codemeta["name"] == name
    assert codemeta["description"].lower() == description.lower()
    assert codemeta["version"] == citation["version"]
    assert codemeta["license"] == f"https://spdx.org/licenses/{citation['license']}"
    assert codemeta["keywords"] == citation["keywords"]
    assert [f"name: {author['name']}" for author in codemeta["author"]] == citation["authors"]


def test_both_are_of_this_version(codemeta: dict[str, Any], citation: dict[str, Any]) -> None:
    assert codemeta["version"] == citation["version"] == dlc.__version__


def test_codemeta_names_what_the_package_needs(codemeta: dict[str, Any], project: dict[str, Any]) -> None:
    assert codemeta["softwareRequirements"] == [Requirement(text).name for text in project["dependencies"]]
    assert codemeta["runtimePlatform"] == f"Python {project['requires-python'].removeprefix('>=')}"
    assert codemeta["license"].endswith(f"/{project['license']}")


def test_codemeta_is_linked_data_of_version_3(codemeta: dict[str, Any]) -> None:
    assert codemeta["@context"] == "https://w3id.org/codemeta/3.0"
    assert codemeta["@type"] == "SoftwareSourceCode"

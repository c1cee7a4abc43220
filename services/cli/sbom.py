"""`waymark sbom`: what a running system is made of, as a bill of materials of its two lock files.

Standard: CycloneDX 1.6 (ECMA-424), JSON; components are named by package URLs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import typer

from services.cli.stack.jars import LOCK as JARS
from services.cli.stack.paths import CHECKOUT

PACKAGES = CHECKOUT / "requirements.lock"
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>.*))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
LONGEST_NAME = 80  # characters; what is longer in a field for licences is the text of one


class Package(NamedTuple):
    """A locked Python package: `marker` says where it is installed, `hashes` (SHA-256) of which files."""

    name: str
    version: str
    marker: str
    hashes: list[str]


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command("sbom")(sbom)


def sbom() -> None:
    """Print a bill of materials (CycloneDX 1.6, JSON): every locked package and jar with its hashes.

    Licences are told of what is installed here, as its own metadata names them.

    Example: `waymark sbom > sbom.cdx.json`
    """
    from services.cli import output

    output.as_json(bill(PACKAGES, JARS))


def bill(packages: Path, jars: Path) -> dict[str, Any]:
    """Return the bill of what two lock files hold; the same files and packages make the same bill.

    Raises:
        ValueError: a line of the first is not pinned, or without a hash.
        OSError: a file cannot be read.
    """
    own = f"pkg:pypi/waymark@{metadata.version('waymark')}"
    components = [*map(_of_package, locked(packages)), *map(_of_jar, _dependencies(jars))]
    made_of = "\n".join([own, *(f"{each['purl']} {each['hashes']}" for each in components)])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, made_of).urn,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "waymark",
                "version": metadata.version("waymark"),
                "licenses": [{"expression": "Apache-2.0"}],
                "purl": own,
            }
        },
        "components": components,
    }


def locked(lock: Path) -> Iterator[Package]:
    """Yield the packages of a lock file.

    Raises:
        ValueError: a line is not pinned to one version, or has no hash.
    """
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        pinned, *_ = line.split(" --hash", 1)
        found, hashes = _PINNED.fullmatch(pinned.strip()), _HASH.findall(line)
        if not found or not hashes:
            raise ValueError(f"{lock.name}: {pinned.strip()} is not locked by version and hash.")
        yield Package(found["name"], found["version"], found["marker"] or "", hashes)


def _dependencies(lock: Path) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = tomllib.loads(lock.read_text(encoding="utf-8"))["dependencies"]
    return found


def _of_package(package: Package) -> dict[str, Any]:
    """A component; one that some machines do without is optional."""
    name = re.sub(r"[-_.]+", "-", package.name).lower()
    scope = "optional" if package.marker else "required"
    component = _component(f"pkg:pypi/{name}@{package.version}", package.name, package.version, scope)
    return component | {"hashes": _sha256(*package.hashes), **_licences(package.name)}


def _of_jar(jar: Mapping[str, str]) -> dict[str, Any]:
    """A component; none of the broker's is needed where a broker of one's own runs."""
    group, name, version = jar["groupId"], jar["artifactId"], jar["version"]
    component = _component(f"pkg:maven/{group}/{name}@{version}?type=jar", name, version, "optional")
    return {"group": group, **component, "hashes": _sha256(jar["sha256"])}


def _component(purl: str, name: str, version: str, scope: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "scope": scope,
        "purl": purl,
    }


def _sha256(*hashes: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": each} for each in hashes]


def _licences(name: str) -> dict[str, Any]:
    """What an installed package says of its licence: an SPDX expression, else the names it uses."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:  # not of this machine
        return {}
    if expressions := told.get_all("License-Expression"):
        return {"licenses": [{"expression": expressions[0]}]}
    classified = [each.split(" :: ")[-1] for each in told.get_all("Classifier", []) if "License ::" in each]
    own = [each for each in told.get_all("License", []) if len(each) <= LONGEST_NAME]
    names = classified or own
    return {"licenses": [{"license": {"name": each}} for each in names]} if names else {}

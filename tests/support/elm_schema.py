"""The XSD of ELM 3.1 learning opportunities, made complete.

The shared data holds the profile itself and a few of the schemas that it imports. Those that are missing
are written here as far as the profile needs them: the classes with the content that they have, the lists of
the EU as patterns of their addresses. Where the shared data has a schema, that one counts.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lxml import etree

from tests.support.real_data import real_data

XS = "http://www.w3.org/2001/XMLSchema"
_CONCEPT = """<xs:complexType name="ConceptType"><xs:sequence>
<xs:element minOccurs="0" maxOccurs="unbounded" ref="prefLabel"/>
<xs:element minOccurs="0" maxOccurs="unbounded" ref="altLabel"/>
<xs:element minOccurs="0" ref="notation"/>
<xs:element minOccurs="0" maxOccurs="unbounded" ref="inScheme"/>
</xs:sequence><xs:attribute name="uri" type="xs:anyURI" use="required"/></xs:complexType>
<xs:element name="notation" type="NotationType"/>
<xs:element name="prefLabel" type="rdf:LangStringType"/>
<xs:element name="altLabel" type="rdf:LangStringType"/>
<xs:element name="inScheme" type="xs:anyURI"/>
<xs:complexType name="NotationType"><xs:simpleContent><xs:extension base="xs:string">
<xs:attribute name="type" type="xs:anyURI"/></xs:extension></xs:simpleContent></xs:complexType>"""
_EXTERNAL = {
    "rdf": (
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        """<xs:complexType name="LangStringType"><xs:simpleContent><xs:extension base="xs:string">
<xs:attribute name="language" type="xs:normalizedString" use="required"/>
</xs:extension></xs:simpleContent></xs:complexType>""",
    ),
    "skos": ("http://www.w3.org/2004/02/skos/core#", _CONCEPT),
    "dc": (
        "http://purl.org/dc/terms/",
        """<xs:complexType name="PeriodOfTimeType"/><xs:complexType name="LocationType"/>
<xs:element name="creator" type="xs:anyURI"/><xs:element name="type" type="skos:ConceptType"/>
<xs:element name="subject" type="skos:ConceptType"/>""",
    ),
    "foaf": ("http://xmlns.com/foaf/0.1/", '<xs:complexType name="AgentType"/>'),
    "org": ("http://www.w3.org/ns/org#", ""),
    "rov": (
        "http://www.w3.org/ns/regorg#",
        """<xs:complexType name="RegisteredOrganizationType"><xs:sequence>
<xs:element ref="skos:altLabel" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>""",
    ),
    "adms": (
        "http://www.w3.org/ns/adms#",
        """<xs:complexType name="IdentifierType"><xs:sequence><xs:element ref="skos:notation"/>
<xs:element minOccurs="0" ref="dc:creator"/></xs:sequence></xs:complexType>""",
    ),
    "core-location-ap": (
        "http://data.europa.eu/m8g/",
        '<xs:element name="longitude" type="xs:string"/><xs:element name="latitude" type="xs:string"/>',
    ),
    "core-locn-ap": (
        "http://www.w3.org/ns/locn#",
        """<xs:element name="geometry"><xs:complexType><xs:sequence>
<xs:element ref="clv:longitude" minOccurs="0" maxOccurs="unbounded"/>
<xs:element ref="clv:latitude" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType></xs:element>""",
    ),
}
_PREFIXES = {"rdf": "rdf", "skos": "skos", "dc": "dc", "clv": "core-location-ap"}
# What the lists of the Publications Office look like; the other lists are of `data.europa.eu/snb/NAME/…`.
_AUTHORITIES = {
    "language": "[A-Z_]+",
    "country": "[A-Z0-9_]+",
    "currency": "[A-Z]{3}",
    "file-type": ".+",
    "atu": ".+",
}


def elm_schema(folder: Path) -> etree.XMLSchema:
    """Returns the schema, put together in an empty folder."""
    given = real_data("feeds/elm-loq-3.1")
    shutil.copytree(given, folder, dirs_exist_ok=True)
    profile = (folder / "loq.xsd").read_text()
    for namespace, location in re.findall(r'import namespace="([^"]+)" schemaLocation="([^"]+)"', profile):
        _write(folder / location, namespace, profile)
    _write(folder / "external" / "core-location-ap.xsd", "", profile)
    individuals = "".join(
        f'<xs:simpleType name="{name}"><xs:restriction base="xs:anyURI"/></xs:simpleType>'
        for name in ("SubjectTypeCodeEnumType", "AccreditationStatusEnumType")
    )
    own = "http://data.europa.eu/snb/model/ap/loq-constraints/"
    if not (folder / "cv" / "loq_individuals.xsd").exists():
        (folder / "cv" / "loq_individuals.xsd").write_text(_schema(own, individuals))
    return etree.XMLSchema(etree.parse(folder / "loq.xsd"))


def _write(path: Path, namespace: str, profile: str) -> None:
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    if path.stem in _EXTERNAL:
        path.write_text(_schema(*_EXTERNAL[path.stem]))
        return
    prefix = re.search(rf'xmlns:(\w+)="{re.escape(namespace)}"', profile)
    assert prefix, namespace
    (name,) = set(re.findall(rf'"{prefix[1]}:(\w+EnumType)"', profile))
    kind = path.stem
    pattern = (
        f"http://publications.europa.eu/resource/authority/{kind}/{_AUTHORITIES[kind]}"
        if kind in _AUTHORITIES
        else f"{re.escape(namespace.rpartition('/')[0])}/.+"
    )
    content = f"""<xs:simpleType name="{name}"><xs:restriction base="xs:anyURI">
<xs:pattern value="{pattern}"/></xs:restriction></xs:simpleType>"""
    path.write_text(_schema(namespace, content))


def _schema(namespace: str, content: str) -> str:
    used = [prefix for prefix in _PREFIXES if f"{prefix}:" in content]
    declared = "".join(f' xmlns:{prefix}="{_EXTERNAL[_PREFIXES[prefix]][0]}"' for prefix in used)
    imports = "".join(
        f'<xs:import namespace="{_EXTERNAL[name][0]}" schemaLocation="{name}.xsd"/>'
        for name in (_PREFIXES[prefix] for prefix in used)
    )
    return f"""<xs:schema xmlns:xs="{XS}" xmlns="{namespace}" targetNamespace="{namespace}"{declared}
elementFormDefault="qualified">{imports}{content}</xs:schema>"""

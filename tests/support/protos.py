"""Compiles a .proto of the tests' or benchmarks' own, which has no place among the contracts, when it is
used."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from filelock import FileLock
from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]


def compile_proto(folder: Path, name: str) -> tuple[ModuleType, ModuleType]:
    """Returns the modules `<name>_pb2` and `<name>_pb2_grpc` made from `folder/<name>.proto`."""
    digest = hashlib.sha256((folder / f"{name}.proto").read_bytes()).hexdigest()[:16]
    package = f"compiled_{digest}"
    target = Path(tempfile.gettempdir()) / f"waymark-test-protos-{os.getuid()}" / package
    target.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not (target / f"{name}_pb2_grpc.py").exists():
            _compile(folder, name, target)
    if str(target) not in sys.path:
        sys.path.insert(0, str(target))
    return importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc")


def _compile(folder: Path, name: str, target: Path) -> None:
    arguments = [
        "protoc",
        f"-I{folder}",
        f"-I{ROOT / 'proto'}",
        f"-I{ROOT / 'proto' / 'vendor'}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"{name}.proto",
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError(f"{name}.proto does not compile")

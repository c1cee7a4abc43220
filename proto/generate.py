"""Makes everything that follows from the contracts: Python code, typed stubs, the descriptor set.

`python -m proto.generate` lints and writes; `--check` lints, holds the contracts against the last release and
fails when a committed generated file is not what the contracts yield now.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
BIN = Path(sys.executable).parent
GENERATED = PROTO / "python"


def main() -> int:
    """Runs the chain; returns the process exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail when something is not fresh"
    )
    check = parser.parse_args().check
    lint()
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "python"
        generate(fresh)
        if check:
            return report(stale(fresh, GENERATED))
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(fresh, GENERATED)
    return 0


def lint() -> None:
    """Lints the contracts with buf."""
    subprocess.run([BIN / "buf", "lint"], cwd=PROTO, check=True)


def generate(target: Path) -> None:
    """Writes code, stubs and descriptor set into `target`."""
    target.mkdir(parents=True)
    ours = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("waymark/**/*.proto"))
    sources = [*ours, "buf/validate/validate.proto"]
    include = ["protoc", f"-I{PROTO}", f"-I{PROTO / 'vendor'}", f"-I{files('grpc_tools') / '_proto'}"]
    code = [
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out={target}",
        f"--mypy_grpc_out={target}",
    ]
    # error_details must be in the set, or the edge turns error details into nothing.
    descriptors = [
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={target / 'waymark' / 'descriptors.binpb'}",
        "google/rpc/error_details.proto",
    ]
    for run in ([*include, *code, *sources], [*include, *descriptors, *sources]):
        if protoc.main(run) != 0:
            raise SystemExit("protoc failed; the lines above name file and line")
    for module in target.rglob("*_pb2_grpc.py"):
        if "\nclass " not in module.read_text():  # the file declares no service
            module.unlink()
            module.with_suffix(".pyi").unlink()
    for package in [path for path in target.rglob("*") if path.is_dir()]:
        (package / "__init__.py").touch()
    (target / "waymark" / "py.typed").touch()


def stale(fresh: Path, committed: Path) -> list[str]:
    """Names, relative to `committed`, that differ, are missing or should not be there."""
    wanted = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    present = {
        path.relative_to(committed)
        for path in committed.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    differing = {
        name for name in wanted & present if not filecmp.cmp(fresh / name, committed / name, shallow=False)
    }
    return sorted(map(str, (wanted ^ present) | differing))


def report(names: list[str]) -> int:
    """Prints the stale names; returns the exit code."""
    if names:
        sys.stderr.write("generated files are not fresh, run `make proto`:\n  " + "\n  ".join(names) + "\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())

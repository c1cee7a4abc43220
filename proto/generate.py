"""Makes everything that follows from the contracts: Python code, typed stubs, the descriptor set, documents.

`python -m proto.generate` formats, lints and writes; `--check` writes nothing, holds the contracts against
the last release (`released.binpb`, breaking category WIRE_JSON) and fails when a committed generated file
is not what the contracts yield now. `--release` makes the contracts of now the ones that later changes must
not break.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet, SourceCodeInfo
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
BIN = Path(sys.executable).parent
GENERATED = PROTO / "python"
DOCS = ROOT / "docs"
OURS = ("--path", "waymark")
RELEASED = "released.binpb"


def main() -> int:
    """Runs the chain; returns the process exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail when something is not fresh"
    )
    parser.add_argument("--release", action="store_true", help="record the contracts as released")
    options = parser.parse_args()
    buf("format", "--exit-code", "--diff", *OURS) if options.check else buf("format", "--write", *OURS)
    buf("lint")
    if options.release:
        buf("build", "--exclude-source-info", "--output", RELEASED)
    buf("breaking", "--against", RELEASED)
    with tempfile.TemporaryDirectory() as folder:
        fresh, papers = Path(folder) / "python", Path(folder) / "docs"
        generate(fresh)
        document(fresh, papers)
        if options.check:
            return report(stale(fresh, GENERATED) + unlike(papers, DOCS))
        for name in stale(fresh, GENERATED):
            replace(fresh / name, GENERATED / name)
        shutil.copytree(papers, DOCS, dirs_exist_ok=True)
    return 0


def buf(*arguments: str) -> None:
    """Runs buf over the contracts; leaves the program with buf's exit code when it finds something."""
    done = subprocess.run([BIN / "buf", *arguments], cwd=PROTO, check=False)  # noqa: S603 - arguments of this file
    if done.returncode:
        sys.stderr.write(f"buf {arguments[0]} found the above; `make proto` mends the format\n")
        raise SystemExit(done.returncode)


def document(code: Path, target: Path) -> None:
    """Checks the rules buf does not know and writes the documents, with the code generated in `code`."""
    command = [sys.executable, "-m", "services.platform.edge.documents", str(target)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(code), str(ROOT)])}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 - arguments of this file
    if done.returncode:
        raise SystemExit(done.returncode)


def generate(target: Path) -> None:
    """Writes code, stubs and descriptor set into `target`."""
    target.mkdir(parents=True)
    ours = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("waymark/**/*.proto"))
    sources = [*ours, "buf/validate/validate.proto"]
    # What the edge asks is no part of the contract: there is code for it, and no place in the descriptor set.
    asked = "waymark/edge/v1/admission.proto"
    include = ["protoc", f"-I{PROTO}", f"-I{PROTO / 'vendor'}", f"-I{files('grpc_tools') / '_proto'}"]
    code = [
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
    ]
    # error_details must be in the set, or the edge turns error details into nothing.
    descriptors = [
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={target / 'waymark' / 'descriptors.binpb'}",
        "google/rpc/error_details.proto",
    ]
    for run in ([*include, *code, *sources, asked], [*include, *descriptors, *sources]):
        if protoc.main(run) != 0:
            raise SystemExit("protoc failed; the lines above name file and line")
    forget_positions(target / "waymark" / "descriptors.binpb")
    for module in target.rglob("*_pb2_grpc.py"):
        if "\nclass " not in module.read_text():  # the file declares no service
            module.unlink()
            module.with_suffix(".pyi").unlink()
    for package in [path for path in target.rglob("*") if path.is_dir()]:
        (package / "__init__.py").touch()
    (target / "waymark" / "py.typed").touch()


def replace(fresh: Path, committed: Path) -> None:
    """Makes `committed` what `fresh` is, or removes it when that is not there; other files stay untouched."""
    if not fresh.exists():
        committed.unlink()
        return
    committed.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(fresh, committed)


def forget_positions(path: Path) -> None:
    """Keeps the comments of a descriptor set and drops line numbers, which change with every edit."""
    descriptors = FileDescriptorSet.FromString(path.read_bytes())
    for file in descriptors.file:
        told = [location for location in file.source_code_info.location if location.leading_comments]
        kept = [SourceCodeInfo.Location(path=one.path, leading_comments=one.leading_comments) for one in told]
        file.ClearField("source_code_info")
        # Third-party comments are not ours to print.
        if file.package.startswith("waymark."):
            file.source_code_info.location.extend(kept)
    path.write_bytes(descriptors.SerializeToString(deterministic=True))


def stale(fresh: Path, committed: Path) -> list[str]:
    """Names, relative to `committed`, that differ, are missing or should not be there."""
    wanted, present = (
        {path.relative_to(root) for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        for root in (fresh, committed)
    )
    differing = {
        name for name in wanted & present if not filecmp.cmp(fresh / name, committed / name, shallow=False)
    }
    return sorted(map(str, (wanted ^ present) | differing))


def unlike(fresh: Path, committed: Path) -> list[str]:
    """Names of fresh documents that `committed` lacks or has otherwise; it may hold others beside."""
    names = sorted(path.name for path in fresh.iterdir())
    same, _, _ = filecmp.cmpfiles(fresh, committed, names, shallow=False)
    return [f"{committed.name}/{name}" for name in names if name not in same]


def report(names: list[str]) -> int:
    """Prints the stale names; returns the exit code."""
    if names:
        sys.stderr.write("generated files are not fresh, run `make proto`:\n  " + "\n  ".join(names) + "\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())

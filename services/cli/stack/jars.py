"""The broker's jars: locked by SHA-256, fetched once by Maven coordinates, verified before every start."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from services.cli.stack.paths import CHECKOUT, cache_dir

SPEC = CHECKOUT / "deploy" / "kafka" / "jgo.toml"
LOCK = CHECKOUT / "deploy" / "kafka" / "jgo.lock.toml"
PARALLEL_DOWNLOADS = 4

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


class JarsError(Exception):
    """The jars cannot be used; the message says which, and what to do."""


def jars_dir() -> Path:
    """Return the folder, in Maven repository layout, that holds the jars."""
    return cache_dir() / "kafka"


def verified_classpath(lock: Path = LOCK, repository: Path | None = None) -> list[Path]:
    """Return the jars in the lock's order after comparing each with its SHA-256.

    jgo's own `sync` accepts a changed jar, so the lock file's check runs before each start of the broker.

    Args:
        lock: the committed lock file.
        repository: folder with the jars; `jars_dir()` when None.

    Raises:
        JarsError: the lock is damaged, names no checksum, or a jar is missing or differs.
    """
    locked = load_lock(lock)
    folder = repository or jars_dir()
    problems = locked.verify_checksums(folder)
    if problems:
        listed = "\n  ".join(problems)
        raise JarsError(
            f"the broker's jars do not match {lock.name}:\n  {listed}\nRun `waymark fetch` to mend them."
        )
    return [folder / jar_path(dependency) for dependency in locked.dependencies]


def load_lock(lock: Path = LOCK) -> Any:
    """Read the lock file and refuse one that would let an unchecked jar through.

    The lock must belong to the specification beside it: its hash is in the lock.

    Returns:
        jgo's LockFile.

    Raises:
        JarsError: unreadable, without dependencies, with a dependency that has no SHA-256, or stale.
    """
    from jgo.env import LockFile, compute_spec_hash

    try:
        locked = LockFile.load(lock)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise JarsError(f"{lock} cannot be read ({error}); restore it from version control") from None
    loose = [d.artifactId for d in locked.dependencies if len(d.sha256 or "") != 64]
    if loose or not locked.dependencies:
        raise JarsError(
            f"{lock} has no SHA-256 for {', '.join(loose) or 'any jar'}; restore it from version control"
        )
    if locked.spec_hash != compute_spec_hash(lock.with_name(SPEC.name)):
        raise JarsError(f"{lock} does not belong to {SPEC.name} beside it; run `waymark fetch --relock`")
    return locked


def jar_path(dependency: Any) -> Path:
    """Return where Maven's layout puts a locked dependency."""
    d = dependency
    suffix = f"-{d.classifier}" if d.classifier else ""
    return Path(
        *d.groupId.split("."), d.artifactId, d.version, f"{d.artifactId}-{d.version}{suffix}.{d.packaging}"
    )


def missing(lock: Path = LOCK) -> list[Any]:
    """Return the locked dependencies whose jar is absent or differs from its SHA-256."""
    from jgo.env._lockfile import compute_sha256

    def good(dependency: Any) -> bool:
        path = jars_dir() / jar_path(dependency)
        return path.exists() and compute_sha256(path) == dependency.sha256

    return [dependency for dependency in load_lock(lock).dependencies if not good(dependency)]


def fetch(progress: Progress, lock: Path = LOCK) -> int:
    """Fetch what is missing and move a jar into place only after its SHA-256 matched.

    Args:
        progress: called with file name and size; the context it returns takes byte counts.
        lock: the committed lock file.

    Returns:
        How many jars were fetched; 0 means that everything was there, and no network was used.

    Raises:
        JarsError: a jar could not be fetched or arrived with another checksum.
    """
    jars_dir().mkdir(parents=True, exist_ok=True)
    with FileLock(jars_dir() / ".lock"):
        wanted = missing(lock)
        if wanted:
            with scratch() as folder, ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
                context = maven(folder, progress)
                for done in [pool.submit(fetch_one, context, folder, dependency) for dependency in wanted]:
                    done.result()
    return len(wanted)


def fetch_one(context: Any, folder: Path, dependency: Any) -> None:
    """Fetch one jar into `folder`, check it, move it into place.

    Raises:
        JarsError: unreachable, or another checksum than the lock's.
    """
    from jgo.env._lockfile import compute_sha256

    d = dependency
    name = f"{d.groupId}:{d.artifactId}:{d.version}"
    artifact = (
        context.project(d.groupId, d.artifactId)
        .at_version(d.version)
        .artifact(d.classifier or "", d.packaging)
    )
    try:
        artifact.resolve()
    except (OSError, RuntimeError) as error:
        raise JarsError(f"could not fetch {name}: {error}") from error
    got = compute_sha256(folder / jar_path(d))
    if got != d.sha256:
        raise JarsError(f"{name} arrived with SHA-256 {got}, the lock says {d.sha256}; nothing was kept")
    target = jars_dir() / jar_path(d)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(folder / jar_path(d), target)


def relock() -> int:
    """Resolve `jgo.toml` anew and write the lock file.

    Returns:
        How many jars the lock names.

    Raises:
        JarsError: a coordinate could not be resolved.
    """
    from jgo.env import EnvironmentSpec, LockFile, compute_spec_hash

    with scratch() as folder:
        context = maven(folder, None)
        try:
            spec = EnvironmentSpec.load(SPEC)
            given, transitive = context.resolver.resolve(
                [context.create_dependency(c) for c in spec.coordinates]
            )
            kept = [d for d in transitive if d.scope in ("compile", "runtime")]
            locked = LockFile.from_resolved_dependencies(
                [*given, *kept],
                environment_name=spec.name,
                java_version=spec.java_version,
                entrypoints=spec.entrypoints,
                default_entrypoint=spec.default_entrypoint,
                spec_hash=compute_spec_hash(SPEC),
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise JarsError(f"could not resolve {SPEC.name}: {error}") from error
        locked.save(LOCK)
    return len(locked.dependencies)


def maven(folder: Path, progress: Progress | None) -> Any:
    """Return a Maven context that stores into `folder` and heeds a mirror that was configured, if any."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    mirror = os.environ.get("WAYMARK_MAVEN_REPOSITORY")
    repositories = {"mirror": mirror} if mirror else GlobalSettings.load().repositories
    resolver = PythonResolver(progress_callback=progress)
    return MavenContext(resolver, repo_cache=folder, remote_repos=repositories or None, timeout=30)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder beside the jars, so that moving a jar into place is one rename."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=cache_dir()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

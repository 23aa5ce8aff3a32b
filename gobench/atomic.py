"""Files that are either whole or absent, and the lock that keeps two builds out of one folder.

A file is written under a hidden temporary name, flushed to the disk and renamed; whoever dies on the way
leaves only a temporary file, which the next build removes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from gobench.errors import BuildError

TEMPORARY = ".tmp"
BUFFER = 1 << 20

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES})  # what flock says of a lock that another holds


def explain(error: OSError, path: Path) -> BuildError:
    """What the system refused, in words, with what to do next."""
    reason = error.strerror or str(error)
    if error.errno in FULL:
        return BuildError(
            f"no room to write {path} ({reason}). Free some space and run the same command again: "
            "finished files are kept."
        )
    if error.errno in FORBIDDEN:
        return BuildError(f"{path} cannot be written ({reason}). Choose a folder that you may write to.")
    return BuildError(f"{path} cannot be written ({reason}).")


class AtomicFile:
    """A binary file that appears under its name when the ``with`` block ends well, and not at all otherwise.

    Keeps ``bytes`` written and their sha256. Raises BuildError where the system refuses to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self._sha256 = hashlib.sha256()
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary.open("wb", buffering=BUFFER)
        except OSError as error:
            raise explain(error, path) from error

    @property
    def sha256(self) -> str:
        """sha256 in hex of what has been written."""
        return self._sha256.hexdigest()

    def write(self, data: bytes) -> None:
        """Append."""
        try:
            self._file.write(data)
        except OSError as error:
            raise explain(error, self.path) from error
        self._sha256.update(data)
        self.bytes += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._publish()
        except OSError as failure:
            raise explain(failure, self.path) from failure
        finally:
            self._discard()

    def _publish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._temporary, self.path)
        sync_folder(self.path.parent)

    def _discard(self) -> None:
        with contextlib.suppress(OSError):  # closing flushes, and the disk may be full
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> str:
    """Write a whole file at once; returns its sha256."""
    with AtomicFile(path) as file:
        file.write(data)
    return file.sha256


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_temporaries(*folders: Path) -> int:
    """Delete what builds that died have left in these folders; returns how many files."""
    left = [path for folder in folders if folder.is_dir() for path in folder.glob(f".*{TEMPORARY}")]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


@contextlib.contextmanager
def lock(path: Path, refusal: str, *, shared: bool = False, wait: bool = False) -> Iterator[None]:
    """Hold ``path`` locked; the lock ends with the process, however it ends.

    Raises:
        BuildError: someone else holds it (``refusal`` is the message), or the file cannot be made or locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise explain(error, path.parent) from error
    try:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, mode if wait else mode | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in HELD:
                raise BuildError(refusal) from error
            raise BuildError(
                f"{path} cannot be locked ({error.strerror or error}): a build needs a folder on a file system "
                "with locks. Choose another folder, such as one on a local disk."
            ) from error
        yield
    finally:
        os.close(handle)

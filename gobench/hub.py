"""Publish a built folder to the Hugging Face Hub: first shown, then, when told so, uploaded.

Nothing is uploaded but what ``SHA256SUMS`` lists, that file itself and ``manifest.json``, so that a
downloaded copy verifies like the original. Every byte is checked against its sum before the first request.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gobench.build.assemble import MANIFEST, read_sums
from gobench.build.assemble import SUMS as SUMS
from gobench.canonical import sha256_file
from gobench.errors import DataError, GobenchError, UsageError
from gobench.types import Json

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# what an older build left there: its shards would be loaded too, and its manifest would say that all is done
OF_A_BUILD = ("data/*", "games/*", "sidecars/*", MANIFEST)
REPO = re.compile(r"\w(?:[\w.-]{0,94}\w)?/\w(?:[\w.-]{0,94}\w)?", re.ASCII)

Progress = Callable[[str, int], None]  # (file, bytes) after each checked file


@dataclass(frozen=True, slots=True)
class Upload:
    """What ``publish`` sends, or would send."""

    folder: str
    repo: str  # ORG/NAME of a dataset repository
    endpoint: str
    revision: str  # branch
    private: bool
    files: tuple[tuple[str, int], ...]  # path below the folder, bytes; sorted
    left_out: tuple[str, ...]  # files in the folder that no sum covers: they stay here

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(size for _, size in self.files)

    @property
    def url(self) -> str:
        """Where the dataset will be seen."""
        return f"{self.endpoint}/datasets/{self.repo}"

    @property
    def command(self) -> str:
        """The command line that uploads."""
        words = ["gobench", "publish", self.folder, self.repo, "--yes"]
        words += ["--private"] if self.private else []
        words += ["--revision", self.revision] if self.revision != "main" else []
        return shlex.join(words)

    def to_json(self) -> dict[str, Json]:
        """The same as plain data."""
        return {**asdict(self), "bytes": self.bytes, "url": self.url, "command": self.command}


@dataclass(frozen=True, slots=True)
class Published:
    """A finished upload."""

    url: str
    commit: str  # 40 hex digits of the last commit
    files: int
    bytes: int

    def to_json(self) -> dict[str, Json]:
        """Plain data."""
        return asdict(self)


def prepare(
    folder: Path | str,
    repo: str,
    *,
    private: bool = False,
    revision: str = "main",
    endpoint: str | None = None,
    progress: Progress | None = None,
) -> Upload:
    """Check a finished folder byte by byte and say what would be uploaded. Touches no network.

    Raises:
        UsageError: ``repo`` is not ORG/NAME.
        DataError: the folder is unfinished, or a file is missing, changed or outside the folder.
    """
    root = Path(folder)
    _check_repo(repo)
    sums = _sums(root)
    for name, digest in sums.items():
        size = _check_file(root, name, digest)
        if progress:
            progress(name, size)
    names = sorted({*sums, SUMS, MANIFEST})
    return Upload(
        folder=str(folder),
        repo=repo,
        endpoint=(endpoint or os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/"),
        revision=revision,
        private=private,
        files=tuple((name, (root / name).stat().st_size) for name in names),
        left_out=tuple(_strangers(root, set(names))),
    )


def publish(upload: Upload, *, token: str | None = None) -> Published:
    """Create the dataset repository if it is not there and upload; running it again resumes.

    ``token`` defaults to the one saved by ``hf auth login`` or to ``HF_TOKEN``.

    Raises:
        GobenchError: the server refused, failed or could not be reached.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=upload.endpoint, token=token)
    with _plain_errors(upload):
        api.create_repo(upload.repo, repo_type="dataset", private=upload.private, exist_ok=True)
        if upload.revision != "main":
            api.create_branch(upload.repo, branch=upload.revision, repo_type="dataset", exist_ok=True)
        names = [name for name, _ in upload.files if name != MANIFEST]
        _send(api, upload, names, delete_patterns=OF_A_BUILD)
        commit = _send(api, upload, [MANIFEST])  # last: its presence means done, there as here
    return Published(upload.url, commit, len(upload.files), upload.bytes)


def _send(api: HfApi, upload: Upload, names: list[str], delete_patterns: Sequence[str] = ()) -> str:
    """Upload the named files, return the commit's id. Files that are there already are not sent again."""
    commit = api.upload_folder(
        repo_id=upload.repo,
        repo_type="dataset",
        folder_path=upload.folder,
        revision=upload.revision,
        allow_patterns=names,
        delete_patterns=list(delete_patterns) or None,
        commit_message="Upload a Video-GoBench dataset",
    )
    return commit.oid


def _sums(root: Path) -> dict[str, str]:
    """The sums of a finished folder; raises DataError where no finished build lies there."""
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. Give the folder that `gobench build-dataset --out` wrote.")
    if not (root / MANIFEST).is_file():
        raise DataError(
            f"{root} has no {MANIFEST}: the build is not finished. Run the same `gobench build-dataset` again."
        )
    return read_sums(root)


def _check_file(root: Path, name: str, digest: str) -> int:
    path = root / name
    if not path.is_file():
        raise DataError(f"{path} is listed in {SUMS} but missing. `gobench verify {root}` tells more.")
    found = sha256_file(path)
    if found != digest:
        raise DataError(
            f"{path} has sha256 {found[:12]}…, {SUMS} says {digest[:12]}…: the file "
            f"changed after the build. `gobench verify {root}` tells more; build again or restore the file."
        )
    return path.stat().st_size


def _strangers(root: Path, known: set[str]) -> list[str]:
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in names if name not in known and not name.startswith("."))


def _check_repo(repo: str) -> None:
    if not REPO.fullmatch(repo) or "--" in repo or ".." in repo or repo.endswith(".git"):
        raise UsageError(
            f"{repo!r} is not ORG/NAME. Letters, digits, '-', '_' and '.' are allowed, as in group/go9-small "
            "(no '--', no '..', and each part begins and ends with a letter or digit)."
        )


HINTS = {
    401: "log in with `hf auth login` or set HF_TOKEN to a token that may write",
    403: "the token may not write there: use one with write access to that organisation",
    404: "the organisation does not exist or the token may not see it",
    409: "another upload is under way: wait and run the same command again",
    413: "the server finds a file too large: build with more --shards",
    429: "the server asks for a pause: wait and run the same command again",
}


@contextmanager
def _plain_errors(upload: Upload) -> Iterator[None]:
    """Turn what the hub's client raises into one sentence: what happened, where, what to do."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    again = "run the same command again later: what arrived is not sent twice"
    try:
        yield
    except HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else 0
        reason = (error.server_message or str(error)).strip().splitlines()[0][:200]
        raise GobenchError(
            f"{upload.endpoint} answered {code} for {upload.repo}: {reason}. "
            f"What to do: {HINTS.get(code, again)}."
        ) from error
    except (HTTPError, ConnectionError) as error:
        raise GobenchError(
            f"{upload.endpoint} cannot be reached ({type(error).__name__}: {error}). "
            f"Check the network and HF_ENDPOINT, then {again}."
        ) from error
    except (ValueError, OSError) as error:
        raise GobenchError(f"publishing {upload.folder} to {upload.repo} failed: {error}") from error

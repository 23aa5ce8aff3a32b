"""Looking at a finished dataset: a contact sheet, a GIF, and one page that plays its episodes.

    write("runs/go9-tiny")      -> runs/go9-tiny-preview/{sheet.png,clips.gif,index.html}

Nothing here knows a domain. A domain may offer ``replay(record)``, which tells the page how to play an
episode from little data; see ``gobench.preview.clips.Replay``. Records are untrusted: names in them are shown
as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gobench import atomic
from gobench.dataset import open_dataset
from gobench.errors import UsageError
from gobench.preview.sampling import pick
from gobench.types import Domain, Json

SHEET, GIF, PAGE = "sheet.png", "clips.gif", "index.html"


@dataclass(frozen=True, slots=True)
class Preview:
    """What was written, and of which samples."""

    sheet: Path
    gif: Path
    page: Path
    samples: tuple[int, ...]  # those on the page

    def to_json(self) -> Json:
        """Plain data."""
        files = {"sheet": str(self.sheet), "gif": str(self.gif), "page": str(self.page)}
        return files | {"samples": list(self.samples)}


def write(
    folder: Path | str,
    out: Path | str | None = None,
    *,
    clips: int = 60,
    split: str | None = None,
    domain: Domain | None = None,
) -> Preview:
    """Draw the previews of a dataset.

    Args:
        out: folder to write into; by default beside the dataset, with ``-preview`` added to its name.
        clips: how many episodes the page holds; the sheet and the GIF show the first few of them.
        split: only episodes of this split.
        domain: draws frames that are not stored; by default the installed one.

    Raises:
        DataError: no finished dataset lies there, or a sample is broken.
        UsageError: unknown split, or no clip asked for.
    """
    from gobench.preview import page, pictures

    if clips < 1:
        raise UsageError(f"{clips} clips were asked for; a preview has at least 1.")
    data = open_dataset(folder)
    root = Path(folder).absolute()
    target = Path(out) if out is not None else root.with_name(f"{root.name}-preview")
    numbers = pick(data, clips, split)
    atomic.write(target / SHEET, pictures.sheet(data, numbers[: pictures.SHEET_CLIPS], domain))
    atomic.write(target / GIF, pictures.gif(data, numbers[: pictures.GIF_CLIPS], domain))
    atomic.write(target / PAGE, page.render(data, numbers, domain).encode())
    return Preview(target / SHEET, target / GIF, target / PAGE, tuple(numbers))

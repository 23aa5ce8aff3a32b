"""Looking at a finished dataset: a contact sheet, a GIF, and one page that plays its episodes.

    write_preview("runs/go9-tiny")      -> runs/go9-tiny-preview/{sheet.png,clips.gif,index.html}

Nothing here knows a domain. A domain may offer ``replay(record)``, which tells the page how to play an
episode from little data; see ``gobench.preview.clips.Replay``. Records are untrusted: names in them are shown
as text.
"""

from __future__ import annotations

from pathlib import Path

from gobench import atomic
from gobench.dataset import open_dataset
from gobench.errors import UsageError
from gobench.preview.sampling import pick
from gobench.types import Domain

FILES = {"sheet": "sheet.png", "gif": "clips.gif", "page": "index.html"}


def write_preview(
    folder: Path | str,
    out: Path | str | None = None,
    *,
    episodes: int = 60,
    seed: int = 0,
    split: str | None = None,
    domain: Domain | None = None,
) -> dict[str, Path]:
    """Draw the previews of a dataset; returns the paths of its "sheet", "gif" and "page".

    Args:
        out: folder to write into; by default beside the dataset, with ``-preview`` added to its name.
        episodes: how many the page holds; the sheet and the GIF show the first few of them.
        seed: which ones; with 0 at even distances.
        split: only episodes of this split.
        domain: draws frames that are not stored; by default the installed one.

    Raises:
        DataError: no finished dataset lies there, or a sample is broken.
        UsageError: unknown split, or no episode asked for.
    """
    from gobench.preview import page, pictures

    if episodes < 1:
        raise UsageError(f"{episodes} episodes were asked for; a preview has at least 1.")
    data = open_dataset(folder)
    root = Path(folder).absolute()
    target = Path(out) if out is not None else root.with_name(f"{root.name}-preview")
    numbers = pick(data, episodes, split, seed)
    some = pick(data, pictures.SHEET_CLIPS, split, seed)
    contents = {
        "sheet": pictures.sheet(data, some, domain),
        "gif": pictures.gif(data, some[: pictures.GIF_CLIPS], domain),
        "page": page.render(data, numbers, domain).encode(),
    }
    for name, content in contents.items():
        atomic.write(target / FILES[name], content)
    return {name: target / file for name, file in FILES.items()}

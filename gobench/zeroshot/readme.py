"""The README of an exported folder: what lies there, what to answer, where to put it, and how to score it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gobench.types import Record
from gobench.zeroshot.prompts import FORMATS
from gobench.zeroshot.references import REFERENCES

LOADABLE = """---
configs:
- config_name: default
  data_files:
  - split: test
    path:
    - metadata.jsonl
    - "*/*/*.png"
---
"""
FIRST = {
    "frames": "the last of `000.png`, `001.png`, ... (`prompt.mp4` shows the same frames)",
    "vbvr": "`first_frame.png`",
}
ANSWER = {"frames": "TASK/ID.mp4", "vbvr": "TASK/00000.mp4"}


def text(settings: Record, about: str, rows: Sequence[Record]) -> str:
    """The README of a folder of prompts or reference answers, as Markdown; ``rows`` are those of prompts.jsonl."""
    prompts = settings["kind"] == "prompts"
    head = LOADABLE if prompts and settings["format"] == "frames" else ""
    counts = Counter(row["folder"] for row in rows)
    tasks = "\n".join(f"- `{name}`: {n} samples" for name, n in sorted(counts.items()))
    body = _prompts(settings) if prompts else _answers(settings)
    return (
        f"{head}# {settings['suite']}: {'prompts' if prompts else 'reference answers'}\n\n"
        f"{about}. Protocol `{settings['protocol']}`, pictures of {settings['size']}x{settings['size']} pixels.\n\n"
        f"{tasks}\n\n{body}"
    )


def _prompts(settings: Record) -> str:
    form, protocol = settings["format"], settings["protocol"]
    limit = f" --limit {settings['limit']}" if settings["limit"] else ""
    frames = f" --frames {settings['frames']}" if settings["frames"] > 1 else ""
    size = (
        "Its size, frame\n   rate and length are free; the picture may be stretched, have bars or be cropped in the middle. "
        "What counts is the\n   last settled frame: the last one of the last run of frames that stand still. "
        "Hold the final picture for a few frames."
        if protocol == "zero-shot"
        else "It has\n   exactly as many frames as `asked` says in `prompts.jsonl`, of the prompt's size."
    )
    truth = "   Do not show the model `final_frame.png` and `ground_truth.mp4`: they are the right answer.\n"
    return f"""## What to do

1. For every sample give the model {FIRST[form]} and, if it takes text, `prompt.txt`.
{truth if form == "vbvr" else ""}2. Write its answer as `ANSWERS/{ANSWER[form]}` (or .webm, .gif, .png, .npy,
   or a folder of .png frames), in a folder ANSWERS of its own, and copy `prompts.jsonl` from here into it. {size}
3. Score:

```
gobench evaluate predictions:ANSWERS --suite {settings["suite"]} --protocol {protocol}{limit}
```

`prompts.jsonl` has one line a sample: task, id, number, the files with their sha256, the side to move, the words.
Format `{form}`: {FORMATS[form].about}.

## Check the set-up first

```
gobench export-prompts {settings["suite"]} --format {form} --protocol {protocol} --size {settings["size"]}{frames}{limit} \
--answers true --out check
gobench evaluate predictions:check --suite {settings["suite"]} --protocol {protocol}{limit}
```

{_expectations()}
"""


def _expectations() -> str:
    return "\n".join(f"- `--answers {name}` ({row.about}): {row.expect}." for name, row in REFERENCES.items())


def _answers(settings: Record) -> str:
    row = REFERENCES[settings["answers"]]
    limit = f" --limit {settings['limit']}" if settings["limit"] else ""
    return f"""These are not a model's answers but {row.about}. They score: {row.expect}.

```
gobench evaluate predictions:. --suite {settings["suite"]} --protocol {settings["protocol"]}{limit}
```
"""

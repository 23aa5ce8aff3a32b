"""Load a built dataset with Hugging Face `datasets` and look at one game.

python examples/load_with_datasets.py DIR
"""

import sys
from pathlib import Path

from datasets import Video, load_dataset

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/go9-tiny"
if not (Path(folder) / "manifest.json").is_file():
    sys.exit(f"{folder} holds no finished dataset: make one with `gobench build-dataset`.")
dataset = load_dataset(folder, streaming=True)
print(f"{folder}: splits {', '.join(dataset)}")

games = next(iter(dataset.values()))
if "mp4" in games.features:
    games = games.cast_column("mp4", Video(decode=False))
sample = next(iter(games))
game = sample["json"]
size = f"{game['rows']}x{game['cols']}"
print(f"first sample {sample['__key__']}: {size}, {len(game['moves'])} plies, result {game['result']}")
print(f"  moves  {game['moves'][:12]} ...")
if "mp4" in sample:
    frames = f"{game['frames']} frames of {game['size']}x{game['size']}"
    print(f"  video  {len(sample['mp4']['bytes']):,} bytes of H.264, {frames}")
if "png" in sample:
    print(f"  last   {sample['png'].size} picture of the last frame")

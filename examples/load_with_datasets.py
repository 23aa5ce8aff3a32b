"""Load a built dataset with Hugging Face `datasets` and look at one game: python examples/load_with_datasets.py DIR"""

import sys

from datasets import Video, load_dataset

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/go9-tiny"
dataset = load_dataset(folder, streaming=True)
print(f"{folder}: splits {', '.join(dataset)}")

train = dataset["train"].cast_column("mp4", Video(decode=False))
sample = next(iter(train))
game = sample["json"]
print(
    f"first sample {sample['__key__']}: {game['rows']}x{game['cols']}, {len(game['moves'])} plies, result {game['result']}"
)
print(
    f"  video  {len(sample['mp4']['bytes']):,} bytes of H.264, {game['frames']} frames of {game['size']}x{game['size']}"
)
print(f"  last   {sample['png'].size} picture of the final position")

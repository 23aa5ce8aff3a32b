"""From a dataset's folder to training batches.

tokenise() or read_states() -> TokenStore -> Windows.batch(step, size)      tokens, or symbols of a state
FramePool.batch(step, size), FrameWindows.batch(step, size)                 pixels, at the working size

A batch is a pure function of (seed, step, rank, world). Records are read for their length and first ply alone; moves
are read by ``labels.label`` and nowhere else.
"""

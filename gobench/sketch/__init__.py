"""Which positions a training set holds.

bloom.py     the sketch: made, merged, written, read, asked
kernels.py   its compiled loops
"""

from gobench.sketch.bloom import SKETCH, Sketch, facts, novel, read, sized

__all__ = ["SKETCH", "Sketch", "facts", "novel", "read", "sized"]

"""Built datasets -> training clips for torch.

=====================  =======================================================================================
``ClipDataset``        map-style: any clip by number, decoded or drawn alone
``ClipSampler``        which numbers, in which order, for which rank; resumable
``ClipStream``         iterable: a few episodes at a time, each decoded once for all of its clips; resumable
``make_loader``        batches of either, in worker processes, with an exact state between batches
``webdataset``         a ``wds.WebDataset`` pipeline of whole episodes with our decoders
``View``, ``Order``    what a clip looks like; in which order clips come and to whom
=====================  =======================================================================================
"""

from gobench.loader.batches import ClipLoader, make_loader
from gobench.loader.dataset import ClipDataset, ClipSampler
from gobench.loader.items import collate
from gobench.loader.stream import ClipStream
from gobench.loader.tars import webdataset
from gobench.loader.view import Order, View

__all__ = [
    "ClipDataset",
    "ClipLoader",
    "ClipSampler",
    "ClipStream",
    "Order",
    "View",
    "collate",
    "make_loader",
    "webdataset",
]

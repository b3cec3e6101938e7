"""Shards: large sets of pictures as a few tar archives that are read from front to back, from a disk or over a network.

The layout is that of the WebDataset library: ``000000.tar`` holds ``NAME.jpg`` and ``NAME.json`` side by side.  Beside
the archives ``index.json`` counts their pictures, so that a run can go on in the middle without reading what came
before.

    writing.py   folder by class -> shards
    index.py     what index.json says, checked
    access.py    opening an address: files, http(s), others by openers that the caller hands in; a cache on disk
    reading.py   an archive -> its pictures, still encoded
    feed.py      pictures in a seeded order, shared among workers, decoded by a pool of threads
"""

from .access import Access, Opener
from .feed import Feed
from .index import Index, Shard, read_index
from .writing import write_shards

__all__ = ["Access", "Feed", "Index", "Opener", "Shard", "read_index", "write_shards"]

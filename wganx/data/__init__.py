"""Reading and scanning folders and archives, data resident on the device, and streams larger than memory.

FileTree -> FileItems (or ArrayItems) -> packed -> choose_feed -> Feed -> BatchStream
"""

from wganx.data.choose import choose_feed
from wganx.data.feed import BatchStream, Feed
from wganx.data.files import FileTree
from wganx.data.fingerprint import fingerprint
from wganx.data.items import ArrayItems, FileItems
from wganx.data.layout import Layout
from wganx.data.order import ShuffledOrder
from wganx.data.packed import PackedItems, packed
from wganx.data.resident import ResidentFeed, load
from wganx.data.scan import ScanReport, scan
from wganx.data.stream import StreamFeed

__all__ = [
    "ArrayItems",
    "BatchStream",
    "Feed",
    "FileItems",
    "FileTree",
    "Layout",
    "PackedItems",
    "ResidentFeed",
    "ScanReport",
    "ShuffledOrder",
    "StreamFeed",
    "choose_feed",
    "fingerprint",
    "load",
    "packed",
    "scan",
]

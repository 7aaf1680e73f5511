"""Reading and scanning folders and archives, data resident on the device, and streams larger than memory.

FileTree -> FileItems or WindowItems (or ArrayItems) -> packed -> choose_feed -> Feed -> BatchStream
"""

from wganx.data.choose import choose_feed
from wganx.data.decoded import DecodedItems, FileItems, TreeItems, refuse_if_too_many
from wganx.data.feed import BatchStream, Feed
from wganx.data.files import FileTree
from wganx.data.fingerprint import changes, describe_data, fingerprint
from wganx.data.items import ArrayItems, check_alike
from wganx.data.layout import Layout
from wganx.data.order import ShuffledOrder
from wganx.data.packed import PackedItems, packed
from wganx.data.resident import ResidentFeed, load
from wganx.data.scan import ScanReport, scan
from wganx.data.stream import StreamFeed
from wganx.data.telling import found_in, left_out, remarks_on
from wganx.data.threads import for_each_index
from wganx.data.windows import WindowItems

__all__ = [
    "ArrayItems",
    "BatchStream",
    "DecodedItems",
    "Feed",
    "FileItems",
    "FileTree",
    "Layout",
    "PackedItems",
    "ResidentFeed",
    "ScanReport",
    "ShuffledOrder",
    "StreamFeed",
    "TreeItems",
    "WindowItems",
    "changes",
    "check_alike",
    "choose_feed",
    "describe_data",
    "fingerprint",
    "for_each_index",
    "found_in",
    "left_out",
    "load",
    "packed",
    "refuse_if_too_many",
    "remarks_on",
    "scan",
]

"""Reading and scanning folders and archives, data resident on the device, and streams larger than memory.

FileTree -> FileItems or WindowItems (or ArrayItems) -> packed -> choose_feed -> Feed -> BatchStream
"""

from wganx.data.arrays import ArrayHeader, array_header, read_array
from wganx.data.choose import choose_feed
from wganx.data.decoded import DecodedItems, FileItems
from wganx.data.feed import BatchStream, Feed
from wganx.data.files import FileTree
from wganx.data.fingerprint import changes, describe_data, fingerprint
from wganx.data.finite import all_finite
from wganx.data.items import ArrayItems
from wganx.data.layout import Layout
from wganx.data.listing import Entry, Listing
from wganx.data.order import ShuffledOrder
from wganx.data.packed import PackedItems, packed
from wganx.data.resident import ResidentFeed, load
from wganx.data.scan import ScanReport, scan
from wganx.data.stream import StreamFeed
from wganx.data.tiles import TILE_ALIGNED, TILE_OVERLAP, Tile, TiledAxis, reflect
from wganx.data.windows import WindowItems
from wganx.names import on_a_line

__all__ = [
    "TILE_ALIGNED",
    "TILE_OVERLAP",
    "ArrayHeader",
    "ArrayItems",
    "BatchStream",
    "DecodedItems",
    "Entry",
    "Feed",
    "FileItems",
    "FileTree",
    "Layout",
    "Listing",
    "PackedItems",
    "ResidentFeed",
    "ScanReport",
    "ShuffledOrder",
    "StreamFeed",
    "Tile",
    "TiledAxis",
    "WindowItems",
    "all_finite",
    "array_header",
    "changes",
    "choose_feed",
    "describe_data",
    "fingerprint",
    "load",
    "on_a_line",
    "packed",
    "read_array",
    "reflect",
    "scan",
]

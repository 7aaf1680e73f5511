"""The checks, a file for each sort of part; importing this fills the book, in the order in which they are made."""

from wganx.testing.checks import plugin as plugin  # isort: skip
from wganx.testing.checks import dataset as dataset  # isort: skip
from wganx.testing.checks import task as task  # isort: skip
from wganx.testing.checks import files as files  # isort: skip
from wganx.testing.checks import network as network  # isort: skip
from wganx.testing.checks import metric as metric  # isort: skip
from wganx.testing.checks import modality as modality  # isort: skip
from wganx.testing.checks import rules as rules  # isort: skip
from wganx.testing.checks import watching as watching  # isort: skip
from wganx.testing.checks import scenario as scenario  # isort: skip

"""The conformance kit: whether a plugin keeps its side of the contracts, and how to mend it where it does not.

    wganx plugins check spectro

    from wganx.testing import PluginConformance
    class TestSpectro(PluginConformance):
        plugin = "spectro"

Fixtures are there on request: ``pytest_plugins = ["wganx.testing.fixtures"]``.
"""

from wganx.testing.check import ConformanceError, NotChecked
from wganx.testing.suite import Check, PluginConformance, Result, iter_checks

__all__ = ["Check", "ConformanceError", "NotChecked", "PluginConformance", "Result", "iter_checks"]

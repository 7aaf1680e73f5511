"""The options of every part, with their defaults; imports no torch, so that listing the plugin stays quick."""

"""Landscapes that are nowhere, drawn by closed forms: weather, season and time of day are known of each."""

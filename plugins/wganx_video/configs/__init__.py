"""Options of datasets, tasks, networks and judges; nothing here imports torch."""

"""The commands around the worker: broker, topics, produce, simulate, verify, demo."""

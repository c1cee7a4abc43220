"""What a running process tells about itself: logs, metrics, traces; never personal data."""

"""Files of strangers, read by libraries in a process of its own that can do nothing else."""

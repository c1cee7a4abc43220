"""Starts and supervises the embedded parts of a stack, one file a part."""

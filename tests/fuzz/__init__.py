"""Hostile and broken input for every reader: a typed error or a valid result, in bounded time and memory."""

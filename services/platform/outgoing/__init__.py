"""Calls to addresses that others name: guarded, bounded, signed where the receiver has to know who calls."""

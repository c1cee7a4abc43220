"""Credentials that anybody can verify: canonical forms, proofs, keys, lists, and what a check finds."""

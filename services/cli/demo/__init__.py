"""The journey: from a shortage list to a paid training, on a running stack."""

"""RPCs, one file per resource."""

"""RPCs of the catalogue, one file per resource."""

"""The services of Waymark, one folder each, and the platform they stand on."""

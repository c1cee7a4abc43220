"""What the service does on events of the catalogue, one file an event."""

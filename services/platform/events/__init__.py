"""Events: outbox, relay, consumer with inbox, dead letters, CloudEvents, topics."""

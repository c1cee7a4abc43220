"""gRPC servicers, one file a resource: message in, one transaction, domain and store, message out."""

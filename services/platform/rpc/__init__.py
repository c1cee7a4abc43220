"""The gRPC server: interceptors, handlers, status details, drain and load shedding."""

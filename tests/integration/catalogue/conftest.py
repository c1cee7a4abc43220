from tests.support.catalogue import catalogue

__all__ = ["catalogue"]

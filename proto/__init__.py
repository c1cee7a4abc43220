"""The contracts, and the program that makes code and documents of them."""

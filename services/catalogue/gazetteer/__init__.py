"""Where places are: regions and towns that ship with the catalogue, and tables that a country imports."""

"""The configuration file of the registry: tables of its keys, and who reads them, checks them and describes them."""

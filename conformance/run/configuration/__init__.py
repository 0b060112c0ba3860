"""The configuration file of a registry's owner: options of the suite as YAML."""

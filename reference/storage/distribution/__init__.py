"""Storage in the layout of docker/distribution 2: the same directory serves the original registry, one at a time."""

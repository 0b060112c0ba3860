"""The storage of docker-registry 0.9, the registry of version 1 of the interface, read and brought over."""

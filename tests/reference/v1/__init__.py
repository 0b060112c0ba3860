"""Tests of what brings over the storage of docker-registry 0.9."""

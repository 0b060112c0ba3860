"""What keeps a storage in order: the collection of what no image needs, and the proof that it is whole."""

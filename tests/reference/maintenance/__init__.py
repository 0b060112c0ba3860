"""Work on a storage beside its use."""

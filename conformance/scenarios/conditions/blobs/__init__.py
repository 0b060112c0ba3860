"""The laws of blobs: how a blob comes, what it holds, and what is looked at."""

"""Storage in buckets: S3, Google Cloud Storage and Azure, through the library obstore.

Nothing in here is loaded unless a configuration asks for it; the libraries are the extra ``object-storage``.
"""

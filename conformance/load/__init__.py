"""Load: users of a registry, as many as wanted, each of whose exchanges is judged as in a run.

Locust drives them. It has an environment of its own (``requirements-load.txt``) and is imported by `locustfile` alone,
as it puts greenlets in the place of threads and sockets in whichever process imports it.
"""

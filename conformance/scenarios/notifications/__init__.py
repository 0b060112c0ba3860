"""Notifications: what the target tells the listener of ``--notifications-listen``."""

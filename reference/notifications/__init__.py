"""Webhook notifications: what happened in the registry, told to endpoints after the answer was sent."""

from __future__ import annotations

from reference.notifications.publisher import Notifications

__all__ = ["Notifications"]

"""What happened goes to each endpoint that wants to know of it."""

from __future__ import annotations

from collections.abc import Iterable

from reference.messages import Notice, Request, Response
from reference.notifications.events import Event, Events
from reference.notifications.sender import Sender
from reference.settings import Endpoint

#: Seconds that delivery may hold up the end of the registry.
GRACE = 1.0


class Notifications:
    """Told of each answered request, it queues events; nobody waits for their delivery."""

    #: Whether what a write did is to be kept before its answer.
    durable = False

    def __init__(self, endpoints: Iterable[Endpoint], events: Events) -> None:
        self.events = events
        self.senders = [Sender(endpoint) for endpoint in endpoints if not endpoint.disabled]

    def start(self) -> None:
        """Begin to send."""
        for sender in self.senders:
            sender.start()

    async def synced(self) -> None:
        """Wait until what was told survives a power cut, as far as it is to be waited for."""

    def flush(self) -> None:
        """Have what was told survive a power cut."""

    def close(self) -> None:
        """End, with a little time for what is not yet delivered."""
        for sender in self.senders:
            sender.close(GRACE / len(self.senders))

    def tell(self, request: Request, response: Response) -> None:
        """Queue what a request did."""
        for notice in self.notices(request, response):
            self.publish(self.events.make(request, notice))

    def notices(self, request: Request, response: Response) -> list[Notice]:
        """What there is to tell: of refused requests and of HEAD nothing."""
        return [] if request.method == "HEAD" or response.status >= 300 else response.notices

    def publish(self, event: Event) -> None:
        """Give an event to the queue of each endpoint that does not ignore it."""
        media_type = event["target"].get("mediaType")
        for sender in self.senders:
            endpoint = sender.endpoint
            if media_type not in endpoint.ignored_media_types and event["action"] not in endpoint.ignored_actions:
                sender.put(event)

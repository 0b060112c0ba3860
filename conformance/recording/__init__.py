"""Recordings: all exchanges of a run in one file, in the form of HAR 1.2, and back again.

Each process of a run writes what its scenarios exchanged into a file of its own (`Recorder`); at the end these come
together (`gather`). Of a run no more than one scenario is in memory.
"""

from conformance.recording.har import gather
from conformance.recording.reading import Recorded, RecordingError, entries
from conformance.recording.spool import Recorder, open_spool, remove_spool

__all__ = ["Recorded", "Recorder", "RecordingError", "entries", "gather", "open_spool", "remove_spool"]

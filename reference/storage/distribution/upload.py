"""An upload that has a folder of its own, in which the original finds it as well."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from reference.storage.files import FileUpload


class FolderUpload(FileUpload):
    """A file for the data, and beside it what is made ready for the commit."""

    def __init__(self, repository: str, identifier: str, path: Path, size: int = 0) -> None:
        super().__init__(repository, identifier, path, size)
        #: Links that wait for their names, by digest.
        self.links: dict[str, Path] = {}

    def begin(self, started: Path) -> None:
        """Make the files; the time comes first, as the original knows no session without one."""
        started.write_text(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)))
        self.path.touch()

    def remove(self) -> None:
        """Remove the folder; without the data, which goes first, it is no session any more."""
        super().remove()
        self.links = {}
        shutil.rmtree(self.path.parent, ignore_errors=True)

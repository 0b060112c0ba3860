"""Where no URL is given, the reference is the target: a process of its own, gone with the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class EmbeddedReference:
    """A ``python -m reference serve`` on a free port of the loopback interface."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="registry-conformance-")
        port_file = Path(self._folder.name) / "address"
        command = [sys.executable, "-m", "reference", "serve", "--memory", "--addr", "127.0.0.1:0"]
        command += ["--port-file", str(port_file)]
        if setpriv := shutil.which("setpriv"):
            # Gone even where the run itself is killed.
            command = [setpriv, "--pdeathsig", "TERM", "--", *command]
        # REGISTRY_... are options of the suite here; the reference, like the original, takes
        # settings from them.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        self._process = subprocess.Popen(  # our own program
            command,
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            # An interrupt from the keyboard ends the run, which then ends the reference; never the
            # other way round.
            start_new_session=True,
        )
        try:
            self.url = "http://" + self._address(port_file)
        except BaseException:
            # An interrupt too: nobody else knows of it yet.
            self.stop()
            raise

    def _address(self, port_file: Path) -> str:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            if port_file.exists() and (address := port_file.read_text().strip()):
                return address
            time.sleep(0.01)
        raise pytest.UsageError("--registry-url: none was given and the embedded reference did not start")

    def stop(self) -> None:
        """Stop the process and remove its folder."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()

"""The peer's server: Streamlit with `peer_app.py`, in its own process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.fixtures.serving import ROOT, build_environment


@dataclass(frozen=True)
class Peer:
    """A running peer."""

    pid: int
    url: str


def write_peer_scene(ours: str, folder: Path, *, zoom: float, height: int) -> Path:
    """Take the buildings of a running server of ours, to the byte what it draws, for the peer to draw inline."""
    with httpx.Client(base_url=ours, trust_env=False, timeout=120) as client:
        buildings: list[dict[str, Any]] = client.get("/scene/buildings.json", params={"lang": "zh"}).json()
    path = folder / "peer.json"
    scene = {"buildings": buildings, "lon": 117.2, "lat": 31.8, "zoom": zoom, "height": height}
    path.write_text(json.dumps(scene), encoding="utf-8")
    return path


@contextmanager
def serve_peer(home: Path, scene: Path) -> Iterator[Peer]:
    """Serve `scene` until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--server.port", str(port), "--server.address", "127.0.0.1", "--browser.serverAddress", "127.0.0.1",
        "--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none",
    ]  # fmt: skip
    app = str(ROOT / "bench" / "peer_app.py")
    with (home / "peer.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", app, *options, "--", str(scene)],
            cwd=home,
            env=build_environment(home),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url, process)
            yield Peer(process.pid, url)
        finally:
            process.terminate()
            process.wait(20)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "The peer did not start."
        try:
            httpx.get(f"{url}/_stcore/health", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("The peer did not answer within a minute.")

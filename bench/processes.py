"""CPU time and memory of another process and its children."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import psutil

_PROCESS_CLOCK = 2  # CPUCLOCK_SCHED: how Linux makes a clock id of a process (include/linux/posix-timers_types.h)


def read_cpu_s(pid: int) -> float:
    """User and system seconds that a process has used so far, to the nanosecond where the system tells it."""
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | _PROCESS_CLOCK)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def read_memory_mb(pid: int) -> float:
    """Resident memory of one process, MB of 1,000,000 bytes."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def read_browser_cpu_s() -> dict[str, float]:
    """Seconds that the browsers started by this process have used so far: the pages' own, and drawing in software."""
    used = {"page": 0.0, "drawing": 0.0, "other": 0.0}
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            command = " ".join(one.cmdline())
            if "--type=" not in command and "chrom" not in one.name():
                continue
            kind = "page" if "--type=renderer" in command else "drawing" if "--type=gpu-process" in command else "other"
            times = one.cpu_times()
            used[kind] += times.user + times.system
    return used

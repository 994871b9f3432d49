"""What the benchmark ran on."""

import os
import platform
import time
from pathlib import Path


def machine() -> dict:
    """Processor, cores, kernel, date, and how busy the machine was when it began."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return {
        "cpu": cpu[0] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "date": time.strftime("%Y-%m-%d"),
        "load": os.getloadavg()[0],
    }

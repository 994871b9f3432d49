"""A network of one's own with loopback and nothing else: for parts that listen on fixed ports of every address."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000


@contextmanager
def alone() -> Iterator[None]:
    """The calling thread, and all threads and processes that it starts meanwhile, are in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def done(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), "network namespace")

    try:
        done(libc.unshare(CLONE_NEWNET))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            done(libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)

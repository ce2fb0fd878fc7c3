"""What the binding costs: python bench.py, against an installed imo2skype (built with --release).

Compare with the same in Rust: cargo bench --bench local -- session
"""

from __future__ import annotations

import gc
import resource
import statistics
import timeit
import tracemalloc
from typing import Callable

import imo2skype

MILLION = 1_000_000


def nanoseconds(work: Callable[[], object], count: int) -> float:
    """Of one call: the median of nine rounds. What calls it in a loop is in it, for all the same."""
    return statistics.median(timeit.repeat(work, number=count, repeat=9)) / count * 1e9


def resident() -> int:
    """Bytes of memory that the process has."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def nothing() -> None:
    pass


def main() -> None:
    with imo2skype.Gateway() as gateway, imo2skype.Session("alice", "secret", server=gateway.url) as session:
        while session.poll_skype_notification(1) is not None:
            pass
        send, poll = session.send_skype_command, session.poll_skype_notification

        def local() -> None:
            send("GET USER echo123 ONLINESTATUS")
            poll(0)

        send("GET USER echo123 ONLINESTATUS")
        assert poll(0) == "USER echo123 ONLINESTATUS ONLINE", "the reply is there when the command returns"
        print(f"GET USER x ONLINESTATUS and poll {nanoseconds(local, 20_000):8.0f} ns")
        print(f"an empty Python function         {nanoseconds(nothing, 1_000_000):8.1f} ns")
        print(f"session.fileno()                 {nanoseconds(session.fileno, 1_000_000):8.1f} ns")

        def calls(count: int) -> None:
            for _ in range(count // 2):
                local()

        calls(MILLION // 10)
        gc.collect()
        before = resident()
        calls(MILLION)
        gc.collect()
        print(f"resident memory after 10^6 calls {resident() - before:+8d} bytes")
        tracemalloc.start()
        calls(1_000)
        gc.collect()
        traced, _ = tracemalloc.get_traced_memory()
        calls(MILLION)
        gc.collect()
        print(f"traced memory after 10^6 calls   {tracemalloc.get_traced_memory()[0] - traced:+8d} bytes")


if __name__ == "__main__":
    main()

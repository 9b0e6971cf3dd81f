"""How many threads to use."""

import os

from assent.models.local.cores import physical_cores


def test_between_one_and_what_this_process_may_use() -> None:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert 1 <= physical_cores() <= allowed

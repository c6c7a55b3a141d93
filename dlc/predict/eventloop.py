"""The event loop of `taskgraph`, compiled by numba, which takes a while to import."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def run(
    seconds: Any,
    offsets: Any,
    targets: Any,
    travel: Any,
    missing: Any,
    pinned: Any,
    priority: Any,
    slots: Any,
) -> Any:
    """Start, finish and node of each task, and the number of tasks that ran.

    `offsets` and `targets` list the successors of each task, `travel` the seconds of each edge between nodes,
    `missing` counts the predecessors that have not ended, and `slots` the tasks that a node runs at a time.
    """
    count, nodes = len(seconds), len(slots)
    start, finish, node = np.zeros(count), np.zeros(count), np.full(count, -1)
    # Of the data that a task waits for: when the last arrive and from which node, and when the last from any
    # other node do. A task that runs where the first lie waits for the second alone.
    latest, origin, second = np.zeros(count), np.full(count, -1), np.zeros(count)
    free = slots.copy()
    idle, listed, height = np.arange(nodes)[::-1].copy(), np.ones(nodes, np.bool_), nodes
    queued, following = np.full(nodes, -1), np.full(count, -1)
    ready: Any = [(0.0, 0)]
    running: Any = [(0.0, 0)]
    ready.clear()
    running.clear()
    woken = [task for task in range(count) if missing[task] == 0]
    now, done, place = 0.0, 0, -1
    while True:
        for task in woken:
            if pinned[task] < 0:
                heapq.heappush(ready, (priority[task], task))
                continue
            _enqueue(queued, following, priority, pinned[task], task)
        # Only nodes that got work or a free slot can begin a pinned task.
        for number in range(len(woken) + 1):
            at = pinned[woken[number]] if number < len(woken) else place
            while at >= 0 and free[at] > 0 and queued[at] >= 0:
                task = queued[at]
                queued[at] = following[task]
                free[at] -= 1
                node[task] = at
                start[task] = max(now, second[task] if at == origin[task] else latest[task])
                finish[task] = start[task] + seconds[task]
                heapq.heappush(running, (finish[task], task))
        while ready:
            task = ready[0][1]
            at = origin[task]
            if at < 0 or free[at] <= 0:
                while height > 0 and free[idle[height - 1]] <= 0:
                    height -= 1
                    listed[idle[height]] = False
                if height == 0:
                    break
                at = idle[height - 1]
            heapq.heappop(ready)
            free[at] -= 1
            node[task] = at
            start[task] = max(now, second[task] if at == origin[task] else latest[task])
            finish[task] = start[task] + seconds[task]
            heapq.heappush(running, (finish[task], task))
        if not running:
            return start, finish, node, done
        now, ended = heapq.heappop(running)
        done += 1
        place = node[ended]
        free[place] += 1
        if not listed[place]:
            listed[place] = True
            idle[height] = place
            height += 1
        woken.clear()
        for edge in range(offsets[ended], offsets[ended + 1]):
            after = targets[edge]
            _arrive(latest, origin, second, after, place, now + travel[edge], now)
            missing[after] -= 1
            if missing[after] == 0:
                woken.append(after)


@njit(cache=True)
def _arrive(latest: Any, origin: Any, second: Any, task: Any, place: Any, arrival: Any, now: float) -> None:
    """Data for a task leave `place` now and arrive elsewhere at `arrival`."""
    if origin[task] == place:
        latest[task] = max(latest[task], arrival)
    elif arrival >= latest[task]:
        second[task] = max(latest[task], now)
        latest[task], origin[task] = arrival, place
    else:
        second[task] = max(second[task], arrival)


@njit(cache=True)
def _enqueue(queued: Any, following: Any, priority: Any, place: Any, task: Any) -> None:
    """Insert a task into the list of a node, by priority."""
    before, after = -1, queued[place]
    while after >= 0 and priority[after] <= priority[task]:
        before, after = after, following[after]
    following[task] = after
    if before < 0:
        queued[place] = task
    else:
        following[before] = task

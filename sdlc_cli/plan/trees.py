"""Small plain projects as trees to branch over: forward and backward, by turns or side by side."""

import time

import numpy as np

from sdlc_cli.plan import antichains, bounds
from sdlc_cli.plan.branching import (
    COUNT,
    FIELDS,
    FOUND,
    LEVELS,
    LONGEST,
    MOST,
    OVER,
    PROBES,
    ROW,
    TARGET,
    Job,
    Tree,
    look,
)
from sdlc_cli.plan.compiled import given
from sdlc_cli.plan.evolve import NONE_YET, Net, Population, block, zeros
from sdlc_cli.plan.instance import I32, I64, Instance

_BITS = 62  # of a word of work
_VISITS = 2**17  # that are remembered on each side
_SLOTS = 4_000  # a longer project is no small one
_SLICE = 0.02  # seconds in the kernel, at most or so
_DIVES = 1_000_000  # the number of the first block to dive in
_LEAST = 64  # choices in the kernel, at least


def fitting(instance: Instance, net: Net) -> bool:
    """Whether a project is small enough."""
    lengths = np.asarray(net.duration)
    return bool(
        0 < np.count_nonzero(lengths) <= MOST
        and len(net.guards) == 1
        and lengths.max() <= LONGEST
        and lengths.sum() <= _SLOTS
    )


class Trees:
    """Looks for a plan shorter than `makespan`, or for the proof that there is none.

    Either way round ends the search: each looks through all that the other one does. Two more
    trees, one for each way round, look for what else can come of beginnings of known plans.
    """

    def __init__(self, instance: Instance, net: Net, makespan: int, seed: int = 0) -> None:
        self.instance, self.net = instance, net
        self.length = np.asarray(net.duration, dtype=np.int64)
        self.words = np.asarray(net.words[0], dtype=np.int64)
        self.least = 0  # no plan is shorter
        before, head = self._links(instance.order, instance.pred_ptr, instance.pred_task)
        after, tail = self._links(instance.order[::-1], instance.succ_ptr, instance.succ_task)
        rows = self._rows(before, after, head, tail, makespan)
        self.tasks: list[I64] = []
        self.jobs: list[Job] = []
        self.trees: list[Tree] = []
        for waits, later in ((before, tail), (after, head)):
            self._side(waits, later + self.length, rows, makespan)
        self.trees += [_tree(len(tasks), net, makespan) for tasks in self.tasks]
        self.paces = [0.0] * len(self.trees)
        self.blocks = [block(net, instance.n, seed, _DIVES + side, 0) for side in range(2)]
        lists = np.stack([instance.order[::-1], instance.order])[:, None].astype(np.int32)
        self.known = Population(given(lists), zeros(2, 1))  # to dive from

    def _links(self, order: I32, ptr: I32, link: I32) -> tuple[list[int], I64]:
        """Whom each task waits for, as a bit each, tasks without length replaced by their own; and
        the longest path up to it.
        """
        waits, reach = [0] * self.instance.n, [0] * self.instance.n
        for task in order.tolist():
            for other in link[ptr[task] : ptr[task + 1]].tolist():
                waits[task] |= 1 << other if self.length[other] else waits[other]
                reach[task] = max(reach[task], reach[other] + int(self.length[other]))
        return waits, np.array(reach, dtype=np.int64)

    def _rows(
        self, before: list[int], after: list[int], head: I64, tail: I64, makespan: int
    ) -> list[tuple[I64, int]]:
        """Demands, real and weighed, and their room."""
        sets = self._sets(before, after)
        if sets is None:
            rows = list(bounds.scaled(self.instance))
        else:
            demands = zip(self.instance.mode_demand.T, self.instance.capacity.tolist(), strict=True)
            rows = [(demand, room) for demand, room in demands if demand.sum() > room]
            for part in range(3):
                late = (makespan - tail) * 3 > makespan * part
                rows.append(antichains.weights(sets, np.where(late, self.length, 0)))
        rows = rows or [(np.zeros_like(self.length), 1)]
        self.least = max(-int(-(demand @ self.length) // room) for demand, room in rows)
        found = {}
        for demand, room in rows:
            share = max(1, int(np.gcd.reduce(demand)))
            found[(demand // share).tobytes(), room // share] = demand // share
        return [(demand, room) for (_, room), demand in found.items()]

    def _sets(self, before: list[int], after: list[int]) -> I64 | None:
        apart = []
        for task in range(self.instance.n):
            near, reached = before[task] | after[task], 0
            for links, mask in ((before, before[task]), (after, after[task])):
                while mask:
                    other = mask.bit_length() - 1
                    mask &= ~(1 << other)
                    if not reached >> other & 1:
                        reached |= 1 << other
                        mask |= links[other] & ~reached
            apart.append(near | reached)
        tasks = np.flatnonzero(self.length).tolist()
        guard, full = int(self.net.guards[0]), int(self.net.full[0])
        return antichains.maximal(tasks, self.words.tolist(), guard, full, apart)

    def _side(
        self, waits: list[int], tail: I64, rows: list[tuple[I64, int]], makespan: int
    ) -> None:
        """One direction; its tasks are numbered with the longest tail first."""
        tasks = np.flatnonzero(self.length)
        tasks = tasks[np.argsort(-tail[tasks], kind="stable")]
        place = {task: k for k, task in enumerate(tasks.tolist())}
        mask = [sum(1 << place[o] for o in place if waits[t] >> o & 1) for t in tasks.tolist()]
        limit = [int(self.net.guards[0]), int(self.net.full[0])]
        work: list[I64] = []
        shift = _BITS
        for demand, room in rows:
            bits = max(room * makespan, int(demand.sum())).bit_length()
            if bits >= _BITS:
                continue
            if shift + bits + 1 > _BITS:
                work.append(np.zeros(len(tasks), dtype=np.int64))
                limit, shift = [*limit, 0, 0], 0
            work[-1] += demand[tasks] << shift
            limit[-2] |= 1 << (shift + bits)
            limit[-1] |= room << shift
            shift += bits + 1
        self.tasks.append(tasks)
        self.jobs.append(
            Job(
                length=given(self.length[tasks]),
                tail=given(tail[tasks]),
                before=given(np.array(mask, dtype=np.int64)),
                word=given(self.words[tasks]),
                work=given(np.stack(work)),
                limit=given(np.array(limit, dtype=np.int64)),
            )
        )
        self.trees.append(_tree(len(tasks), self.net, makespan))

    def aim(self, makespan: int) -> None:
        """Look for what is shorter than that, and than what has been found."""
        least = min(makespan - 1, *(int(tree.state[TARGET]) for tree in self.trees))
        for tree in self.trees:
            tree.state[TARGET] = least

    @property
    def over(self) -> bool:
        """Whether nothing is left on one side: nothing is shorter than the target plus one."""
        return any(tree.state[OVER] for tree in self.trees[:2])

    @property
    def bound(self) -> int:
        """What no plan is shorter than."""
        ended = [int(tree.state[TARGET]) + 1 for tree in self.trees[:2] if tree.state[OVER]]
        return max([self.least, *ended])

    @property
    def choices(self) -> int:
        return sum(int(tree.state[COUNT]) for tree in self.trees)

    def count(self, one: int, choices: int) -> None:
        """Try so many choices more: 0 and 1 branch, 2 and 3 dive."""
        side, tree = one % 2, self.trees[one]
        tasks, job = given(self.tasks[side]), self.jobs[side]
        look(choices, one > 1, side, tasks, self.net, self.known, self.blocks[side], job, tree)

    def until(self, one: int, moment: float) -> None:
        """Go on with one tree until then."""
        state = self.trees[one].state
        while not (one < 2 and state[OVER]):
            begin = time.monotonic()
            if begin >= moment:
                return
            tried = int(state[COUNT])
            self.count(one, max(_LEAST, int(self.paces[one] * min(moment - begin, _SLICE))))
            spent = max(time.monotonic() - begin, 1e-6)
            self.paces[one] = (int(state[COUNT]) - tried) / spent

    @property
    def shortest(self) -> int:
        """The makespan of the shortest plan found, or a very long one."""
        return min(int(tree.state[FOUND]) or NONE_YET for tree in self.trees)

    def found(self) -> list[int]:
        """A list of all tasks that makes the shortest plan found."""
        one = min(range(len(self.trees)), key=lambda k: int(self.trees[k].state[FOUND]) or NONE_YET)
        side, tree = one % 2, self.trees[one]
        tasks = self.tasks[side]
        start = np.zeros(self.instance.n, dtype=np.int64)
        finish = np.asarray(tree.best)
        start[tasks] = tree.state[FOUND] - finish if side else finish - self.length[tasks]
        return self._list(start)

    def _list(self, start: I64) -> list[int]:
        """All tasks by their starts, those without length as soon as they can."""
        i = self.instance
        rank = np.zeros(i.n, dtype=np.int64)
        for place, task in enumerate(i.order.tolist()):
            rank[task] = place
            if not self.length[task]:
                before = i.pred_task[i.pred_ptr[task] : i.pred_ptr[task + 1]]
                start[task] = max((start[before] + self.length[before]).tolist(), default=0)
        return [int(task) for task in np.lexsort((rank, start))]


def _tree(n: int, net: Net, makespan: int) -> Tree:
    state = np.zeros(FIELDS, dtype=np.int64)
    state[TARGET] = makespan - 1
    slots = makespan + max(net.duration) + 2

    return Tree(
        state=given(state),
        finish=zeros(n),
        best=zeros(n),
        level=zeros(n + 2, LEVELS),
        free=given(np.full(slots, int(net.full[0]), dtype=np.int64)),
        seen=zeros((_VISITS + PROBES) * ROW),
        load=zeros(makespan + 1),
    )

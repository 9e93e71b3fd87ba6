"""Branch and bound over small plain projects: a plan that ends by a target, or the proof of none.

Time goes from one finish to the next. At each the search branches over what starts of the tasks
that are ready: all that fit, the most urgent first, then less (Stinson, Davis and Khumawala 1978).
A set of tasks is one whole number, a bit for each task, the most urgent lowest.

Not gone into is what cannot end by the target, by its longest path or by the work that is left;
what an earlier visit dominates: the same tasks begun, all of them over no later (the cutsets of
Demeulemeester and Herroelen 1992); and what leaves room for a task to start earlier than it does.
"""

from typing import NamedTuple

from sdlc_cli.plan.compiled import inlined, inner, light
from sdlc_cli.plan.evolve import Block, Net, Population, draw, fittest
from sdlc_cli.plan.serial import Ints, serial

MOST = 62  # tasks: a set of them is a whole number below 2^62
LONGEST = 511  # slots a task may take
FIELD, TASK = 15, 6  # bits of a running task in what is remembered: all, and its number
HELD = 4  # running tasks in one number of what is remembered
ROW = 5  # numbers that are remembered of a visit: the tasks begun, the time, and what runs
DIVE = 3_000  # choices from one beginning, at most
SERIAL = 4  # choices that take as long as a schedule
PROBES = 4  # places where a visit may be remembered

TARGET, LEVEL, TIME, BEGUN, COUNT, OVER, FOUND, FLOOR, LEFT, FIELDS = range(10)  # of Tree.state
AT, SET, READY, CHOSEN, LEVELS = range(5)  # of Tree.level


class Job(NamedTuple):
    """A project in one direction as the kernel sees it: tasks that take time, all in one word."""

    length: Ints
    tail: Ints  # from the start of a task to the end of all
    before: Ints  # whom it waits for
    word: Ints
    work: Ints  # (words of work, n)
    limit: Ints  # guard and full word of a slot, then of each word of work


class Tree(NamedTuple):
    """Where a search stands, and room to work in."""

    state: Ints
    finish: Ints  # (n) of what has begun
    best: Ints  # (n) finishes of the best plan found
    level: Ints  # (levels, LEVELS) the moments that the way here leads through
    free: Ints  # (slots) what is free there
    seen: Ints  # ROW numbers a visit that led to nothing
    load: Ints  # work of each slot, counted from the target


@inlined
def place(tree: Tree, begun: int) -> int:
    """The first of the places where what comes of a set of tasks may be remembered."""
    return (begun ^ (begun >> 29)) % (len(tree.seen) // ROW - PROBES)


@inlined
def dominated(tree: Tree, time: int, begun: int) -> bool:
    """Whether an earlier visit, that led to nothing, had begun the same and was no later."""
    finish, seen = tree.finish, tree.seen
    first = place(tree, begun)
    for probe in range(PROBES):
        row = (first + probe) * ROW
        if seen[row] == 0:
            return False
        if seen[row] != begun or seen[row + 1] > time:
            continue
        late = False
        for k in range(2, ROW):
            word = seen[row + k]
            while word:
                end = seen[row + 1] + ((word >> TASK) & LONGEST)
                if end > time and end > finish[word & 63]:
                    late = True
                word >>= FIELD
        if not late:
            return True
    return False


@inlined
def remember(tree: Tree, deep: int) -> None:
    """Keep that nothing came of a level."""
    seen, finish = tree.seen, tree.finish
    time, begun = tree.level[deep][AT], tree.level[deep][SET]
    running = 0
    for task in range(len(finish)):
        if (begun >> task) & 1 and finish[task] > time:
            running += 1
    if running > HELD * (ROW - 2):
        return
    first = place(tree, begun)
    spot = first + tree.state[COUNT] % PROBES
    for probe in range(PROBES):
        row = (first + probe) * ROW
        if seen[row] == 0 or (seen[row] == begun and seen[row + 1] >= time):
            spot = first + probe
            break
    spot *= ROW
    seen[spot], seen[spot + 1] = begun, time
    for k in range(2, ROW):
        seen[spot + k] = 0
    running = 0
    for task in range(len(finish)):
        if (begun >> task) & 1 and finish[task] > time:
            held = task | ((finish[task] - time) << TASK)
            seen[spot + 2 + running // HELD] |= held << (FIELD * (running % HELD))
            running += 1


@inlined
def hopeless(job: Job, tree: Tree, time: int, begun: int) -> bool:
    """Whether what is left cannot be done by the target: a path or the work is too long."""
    target, finish, load = tree.state[TARGET], tree.finish, tree.load
    length, tail = job.length, job.tail
    room = target - time
    for task in range(len(finish)):
        if (begun >> task) & 1:
            if finish[task] + tail[task] - length[task] > target:
                return True
        elif tail[task] > room:
            return True
    for w in range((len(job.limit) - 2) // 2):
        guard, full = job.limit[2 + 2 * w], job.limit[3 + 2 * w]
        work = job.work[w]
        for slot in range(room):
            load[slot] = 0
        for task in range(len(finish)):
            need = work[task]
            if (begun >> task) & 1:
                for slot in range(target - finish[task], room):
                    load[slot] += need
            elif need:
                for slot in range(tail[task] - length[task], tail[task]):
                    load[slot] += need
        free = guard
        for slot in range(room - 1, -1, -1):
            free += full - load[slot]
            if free & guard != guard:
                return True
    return False


@inlined
def earliest(job: Job, tree: Tree, task: int, ready: int, last: int) -> int:
    """The first start from `ready` on, and before `last`, at which a task fits, or `last`."""
    free, need, guard = tree.free, job.word[task], job.limit[0]
    length = job.length[task]
    low = ready
    slot = low + length - 1
    while low < last and slot >= low:
        if (free[slot] - need) & guard == guard:
            slot -= 1
        else:
            low = slot + 1
            slot = low + length - 1
    return low


@inlined
def idle(job: Job, tree: Tree, at: Ints, soon: int) -> bool:
    """Whether a task could start earlier than it does, or end before anything else can start.

    Earlier, but not before the moment from which on a dive chooses.
    """
    finish, free = tree.finish, tree.free
    length, before, word = job.length, job.before, job.word
    time = at[AT]
    for task in range(len(finish)):
        if not (at[READY] >> task) & 1:
            continue
        ready = tree.state[FLOOR]
        for other in range(len(finish)):
            if (before[task] >> other) & 1 and finish[other] > ready:
                ready = finish[other]
        if (at[CHOSEN] >> task) & 1:
            if ready < time:
                for slot in range(time, time + length[task]):
                    free[slot] += word[task]
                first = earliest(job, tree, task, ready, time)
                for slot in range(time, time + length[task]):
                    free[slot] -= word[task]
                if first < time:
                    return True
        else:
            last = soon - length[task] + 1
            if ready < last and earliest(job, tree, task, ready, last) < last:
                return True
    return False


@inlined
def choose(job: Job, tree: Tree, at: Ints, task: int) -> None:
    """Start what fits of the ready tasks from `task` on."""
    free, word, length = tree.free, job.word, job.length
    guard, time = job.limit[0], at[AT]
    while task < len(tree.finish):
        if (at[READY] >> task) & 1 and (free[time] - word[task]) & guard == guard:
            at[CHOSEN] |= 1 << task
            tree.finish[task] = time + length[task]
            for slot in range(time, time + length[task]):
                free[slot] -= word[task]
        task += 1


@inlined
def back(job: Job, tree: Tree) -> int:
    """Take back the task that was started last, and all levels where nothing is left to try.

    The tasks after it may be tried without it: the first of them, or -1 where nothing is left.
    """
    state, free = tree.state, tree.free
    length, word = job.length, job.word
    while state[LEVEL] > 0:
        at = tree.level[state[LEVEL] - 1]
        task = len(tree.finish) - 1
        while task >= 0 and not (at[CHOSEN] >> task) & 1:
            task -= 1
        if task >= 0:
            at[CHOSEN] ^= 1 << task
            for slot in range(at[AT], at[AT] + length[task]):
                free[slot] += word[task]
            return task + 1
        state[LEVEL] -= 1
        remember(tree, state[LEVEL])
    return -1


@inlined
def enter(job: Job, tree: Tree, at: Ints) -> bool:
    """Go on to the next moment, unless what has been chosen here leads nowhere."""
    state, finish = tree.state, tree.finish
    begun = at[SET] | at[CHOSEN]
    soon = 2**40
    for task in range(len(finish)):
        if (begun >> task) & 1 and at[AT] < finish[task] < soon:
            soon = finish[task]
    if soon == 2**40 or idle(job, tree, at, soon):
        return False
    state[BEGUN], state[TIME] = begun, soon
    return True


@inlined
def arrive(job: Job, tree: Tree) -> bool:
    """Open a level at the moment that is reached, unless all is done or nothing can come of it."""
    state, finish = tree.state, tree.finish
    before = job.before
    n = len(finish)
    time, begun = state[TIME], state[BEGUN]
    if begun == (1 << n) - 1:
        last = 0
        for task in range(n):
            if finish[task] > last:
                last = finish[task]
        if last <= state[TARGET]:
            state[FOUND] = last
            state[TARGET] = last - 1
            for task in range(n):
                tree.best[task] = finish[task]
        return False
    if hopeless(job, tree, time, begun) or dominated(tree, time, begun):
        return False
    over = 0
    for task in range(n):
        if (begun >> task) & 1 and finish[task] <= time:
            over |= 1 << task
    ready = 0
    for task in range(n):
        if not (begun >> task) & 1 and before[task] & ~over == 0:
            ready |= 1 << task
    at = tree.level[state[LEVEL]]
    state[LEVEL] += 1
    at[AT], at[SET], at[READY], at[CHOSEN] = time, begun, ready, 0
    return True


@inner
def branch(count: int, job: Job, tree: Tree) -> None:
    """Go on until `count` more choices are tried."""
    state = tree.state
    until = state[COUNT] + count
    while state[COUNT] < until and not state[OVER]:
        opened = arrive(job, tree)
        entered = False
        while not entered:
            state[COUNT] += 1
            task = 0 if opened else back(job, tree)
            opened = False
            if task < 0:
                state[OVER] = 1
                return
            at = tree.level[state[LEVEL] - 1]
            choose(job, tree, at, task)
            entered = enter(job, tree, at)


@inlined
def begin(tasks: Ints, job: Job, tree: Tree, ends: Ints, at: int, full: int) -> None:
    """Take over what has begun before a moment in a plan with these finishes."""
    state, finish, free = tree.state, tree.finish, tree.free
    for slot in range(len(free)):
        free[slot] = full
    begun = 0
    for task in range(len(finish)):
        end = ends[tasks[task]]
        start = end - job.length[task]
        if start < at:
            begun |= 1 << task
            finish[task] = end
            for slot in range(start, min(end, len(free))):
                free[slot] -= job.word[task]
    state[TIME], state[FLOOR], state[BEGUN] = at, at, begun
    state[LEVEL], state[OVER], state[LEFT] = 0, 0, DIVE


@light
def look(
    count: int,
    diving: bool,
    side: int,
    tasks: Ints,
    net: Net,
    population: Population,
    block: Block,
    job: Job,
    tree: Tree,
) -> None:
    """Branch, or dive, until `count` more choices are tried.

    A dive branches from a moment of a plan of the population at random, the better plans and the
    earlier moments more often. Its tree is one of its own: what it has looked through proves
    nothing.
    """
    if not diving:
        branch(count, job, tree)
        return
    state = tree.state
    until = state[COUNT] + count
    while state[COUNT] < until:
        if state[OVER] or state[LEFT] <= 0:
            serial(
                population.lists[1 - side][fittest(population.makespan[1 - side], block.state)],
                net.duration,
                net.words,
                net.pred_ptr[side],
                net.pred[side],
                block.free,
                net.guards,
                net.full,
                block.finish,
            )
            one = block.finish[tasks[draw(block.state, len(tasks))]]
            other = block.finish[tasks[draw(block.state, len(tasks))]]
            begin(tasks, job, tree, block.finish, min(one, other), job.limit[1])
            state[COUNT] += SERIAL
        tried = state[COUNT]
        branch(min(state[LEFT], until - tried), job, tree)
        state[LEFT] -= state[COUNT] - tried

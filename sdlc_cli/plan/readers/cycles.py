"""Tasks that wait for each other."""

from collections.abc import Sequence


def cycle(followers: Sequence[Sequence[int]]) -> list[int]:
    """Numbers of which each is followed by the next and the last by the first; [] without any.

    `followers[i]` are the numbers that come after i.
    """
    state = [0] * len(followers)  # 1: on the path; 2: leads into no cycle
    for root in range(len(followers)):
        if state[root]:
            continue
        state[root] = 1
        path, rest = [root], [iter(followers[root])]
        while path:
            other = next(rest[-1], None)
            if other is None:
                state[path.pop()] = 2
                rest.pop()
            elif state[other] == 1:
                return path[path.index(other) :]
            elif not state[other]:
                state[other] = 1
                path.append(other)
                rest.append(iter(followers[other]))
    return []

"""Syntax of Python 3.12 and later; older ones can't read it, and then no tool can."""

type Pair[T: (int, str or bytes)] = tuple[T, T]


class Box[T: int if debug else str]:
    def get[U](self, password: U = "x") -> U:
        return f"{self["a"]} {f"{self!r:>{1 + 2}}"}"


def first[T](items: list[T]) -> T:
    f"select {items["a"]} from {f'{T}'}"
    f"a"
    f'''
    {items:
    >10}
    '''; x = f"{x:y}"
    return f"sel{items}ect a from b"

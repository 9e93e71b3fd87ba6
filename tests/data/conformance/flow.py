"""Every construct that counts for complexity, and some that only look as if they did."""

import asyncio


@decorate(lambda x: x if x else None)
@other("0.0.0.0" and 1)
def decorated(a=1 if debug else 2, *args: "int | str", b=[x for x in y], **kwargs) -> a or b:
    if a:
        pass
    elif b and not args or kwargs:
        a += 1
    else:
        b = a if b else -a
    for x in args:
        if x > 1 < 2:
            continue
    else:
        a = ~b
    while a:
        a -= 1
        break
    else:
        b **= 2
    while True:
        try:
            return a
        except (ValueError, TypeError):
            pass
        except Exception as error:
            continue
        else:
            a = b
        finally:
            b = a
    with open(a) as f, open(b):
        assert a and b or f, "x" if a else "y"
    return [x for x in a if x if not x] + list(z for y in a for z in y if z)


async def waiting(queue, token="x"):
    async with queue as q, other:
        async for item in q:
            await item
        else:
            return {x async for x in item if await x}
    assert queue
    try:
        await q
    except Exception:
        pass
    return {k: v for k, v in q}


def grouped():
    try:
        raise ExceptionGroup("x", [])
    except* ValueError:
        pass
    except* (TypeError, KeyError) as group:
        if group:
            raise


def chosen(command):
    match command:
        case "password":
            return "hunter2"
        case ["load", name] | {"name": name, **rest} if name == "/tmp/x":
            return eval(name)
        case Point(x=0, y="0.0.0.0"):
            return 1
        case str() as text if text or command:
            return text
        case 1 | -2:
            return None
        case _:
            return 0
    match command:
        case other:
            pass
    match command:
        case None:
            pass


class Outer(Base, metaclass=Meta if x else Other, password="x" + "y"):
    """Its own docstring."""

    size: int = 1 if debug else 2
    names = [n for n in dir() if n]

    if debug:
        def late(self):
            return self.size and 1

        class Hidden:
            def method(self):
                return 1 or 2
    else:
        late = None

    def __init__(self, a, b: "int" = 0):
        def closure(x):
            if x:
                return lambda y: y if y else x

            def inner():
                for _ in x:
                    yield

            return inner

        class Local:
            def unseen(self):
                return 1 if self else 2

        self.a = closure(a)
        assert self.a

    async def fetch(self):
        return [await x for x in self.a]

    @property
    def empty(self):
        ...

    class Inner:
        class Innermost:
            def deep(self):
                return not self and 1

            value = eval("1")

        def method(self):
            if self:
                return 1


class Empty:
    pass


class OneMethod:
    def only(self):
        return self


if __name__ == "__main__":
    if asyncio:
        def at_the_end(): return 1 if 2 else 3
    lambda password="x": password
    x = 1 + 1 - -1 * +1 @ 2 // 3 % 4 << 5 >> 6 & 7 | 8 ^ 9
    y = 1.0 is True is not None in (1, 2) not in [3]
    z = a.b + a.c + b.a + "a" + b"a" + 1 + 1.0 + True + 1j + ... + None
    x @= y
    x[0] |= y.z
    del x, y
    global_value = (walrus := 1) + walrus
    try:
        raise
    except Exception:
        x = 1
    except ValueError: continue_ = 1
    try: pass
    except: pass
    for a in b:
        try: pass
        except: continue
        try: pass
        except TypeError: continue
        try: pass
        except Exception: continue; pass

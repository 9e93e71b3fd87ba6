"""The ways to do a task: how long, what they hold and use up, what they cost."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import UNSET

from sdlc_cli.core.i18n import msg
from sdlc_cli.core.scalars import shown
from sdlc_cli.core.sections import Key
from sdlc_cli.plan.model import ZERO, Mode, Need
from sdlc_cli.plan.options import Estimate, ModeSpec, NeedSpec, TaskSpec
from sdlc_cli.plan.readers.draft import Draft

if TYPE_CHECKING:
    from sdlc_cli.plan.readers.prices import ModelPrices


class _Below(dict[str, Key]):
    """Where the keys of a section stand."""

    def __init__(self, path: Key) -> None:
        super().__init__()
        self.path = path

    def __missing__(self, key: str) -> Key:
        return (*self.path, key)


class Modes:
    """Makes the modes of a draft's tasks."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    @cached_property
    def prices(self) -> "ModelPrices":
        """The prices of models. Loaded for projects that name one: most do not."""
        from sdlc_cli.plan.readers.prices import ModelPrices

        return ModelPrices(self.draft)

    def of(self, spec: TaskSpec, path: Key) -> tuple[Mode, ...]:
        """The modes of a task, at least one."""
        if spec.modes is UNSET or not spec.modes:
            return (self._mode("", spec, _Below(path), path),)
        if spec.duration is not UNSET and all(
            mode.duration is not UNSET for mode in spec.modes.values()
        ):
            self.draft.add((*path, "duration"), msg("is of no use: every mode has its own"))
        return tuple(self._of_task(name, mode, spec, path) for name, mode in spec.modes.items())

    def _of_task(self, name: str, mode: ModeSpec, task: TaskSpec, path: Key) -> Mode:
        """The mode with what it takes from its task."""
        said = {key: getattr(mode, key) for key in ModeSpec.__struct_fields__}
        inner = (*path, "modes", name)
        at: dict[str, Key] = {}
        for key in said:
            at[key] = (*inner, key)
            if said[key] is UNSET and getattr(task, key) is not UNSET:
                said[key], at[key] = getattr(task, key), (*path, key)
        return self._mode(name, ModeSpec(**said), at, inner)

    def _mode(
        self, name: str, written: ModeSpec | TaskSpec, at: Mapping[str, Key], path: Key
    ) -> Mode:
        duration, low, high = self._duration(written, at["duration"])
        return Mode(
            id=name,
            duration=duration,
            low=low,
            high=high,
            needs=tuple(self._needs(written, at["needs"])),
            uses=tuple(self._uses(written, at["uses"])),
            cost_usd=self._cost(written, path, at),
            quality=0.0 if written.quality is UNSET else written.quality,
            model="" if written.model is UNSET else written.model,
            input_tokens=0 if written.input_tokens is UNSET else written.input_tokens,
            output_tokens=0 if written.output_tokens is UNSET else written.output_tokens,
        )

    def _duration(self, mode: ModeSpec | TaskSpec, path: Key) -> tuple[int, int | None, int | None]:
        if mode.duration is UNSET:
            self.draft.add(path, msg("missing, and needed here"))
            return 0, None, None
        if isinstance(mode.duration, str):
            return self._slots(mode.duration, path), None, None
        spec: Estimate = mode.duration
        middle = self._slots(spec.p50, (*path, "p50"))
        low = None if spec.p10 is UNSET else self._slots(spec.p10, (*path, "p10"))
        high = None if spec.p90 is UNSET else self._slots(spec.p90, (*path, "p90"))
        if not spec.p50:  # which was told as missing
            return middle, low, high
        if low is not None and low > middle:
            self.draft.add((*path, "p10"), msg("is longer than p50"))
        if high is not None and high < middle:
            self.draft.add((*path, "p90"), msg("is shorter than p50"))
        return middle, low, high

    def _slots(self, text: str, path: Key) -> int:
        slots = self.draft.grid.duration(text) if text else 0
        if slots is None:
            self.draft.add(path, msg("is longer than a million units"))
        return slots or 0

    def _needs(self, mode: ModeSpec | TaskSpec, path: Key) -> Iterator[Need]:
        if mode.needs is UNSET:
            return
        listed = isinstance(mode.needs, tuple)
        held: Counter[tuple[str, str]] = Counter()
        for i, one in enumerate(mode.needs if isinstance(mode.needs, tuple) else (mode.needs,)):
            here = (*path, i) if listed else path
            need = self._need(one, here) if isinstance(one, NeedSpec) else self._short(one, here)
            if need is None:
                continue
            held[need.kind, need.id] += need.amount
            self._enough(need, held[need.kind, need.id], here)
            yield need

    def _short(self, name: str, path: Key) -> Need | None:
        """A name alone: a person, a resource or a skill."""
        draft = self.draft
        kinds: list[str] = []
        if name in draft.people:
            kinds.append("person")
        elif name in draft.resources:
            kinds.append("resource")
        if name in draft.skills:
            kinds.append("skill")
        if len(kinds) > 1:
            message = msg("'{name}' is a {kind} and a skill: write {{{kind}: {name}}} or"
                          " {{skill: {name}}}", name=shown(name, 40), kind=kinds[0])  # fmt: skip
            draft.add(path, message)
        elif not kinds:
            draft.unknown(path, "need", name, (*draft.people, *draft.resources, *draft.skills))
        elif kinds == ["person"]:
            return Need(kind="person", id=name)
        elif kinds == ["resource"]:
            return Need(kind="resource", id=name)
        else:
            return Need(kind="skill", id=name)
        return None

    def _need(self, spec: NeedSpec, path: Key) -> Need | None:
        draft = self.draft
        written = [key for key in ("person", "resource", "skill") if getattr(spec, key)]
        if len(written) != 1:
            draft.add(path, msg("needs one of: person, resource, skill"))
            return None
        if spec.person:
            if spec.person not in draft.people:
                draft.unknown((*path, "person"), "person", spec.person, draft.people)
            elif spec.amount != 1:
                draft.add((*path, "amount"), msg("a person is there once"))
            else:
                return Need(kind="person", id=spec.person)
        elif spec.resource:
            if spec.resource not in draft.resources:
                draft.unknown((*path, "resource"), "resource", spec.resource, draft.resources)
            else:
                return Need(kind="resource", id=spec.resource, amount=spec.amount)
        elif spec.skill not in draft.skills:
            draft.unknown((*path, "skill"), "skill", spec.skill, draft.skills)
        else:
            return Need(kind="skill", id=spec.skill, amount=spec.amount)
        return None

    def _enough(self, need: Need, held: int, path: Key) -> None:
        draft = self.draft
        if need.kind == "person" and held > 1:
            draft.add(path, msg("is written twice"))
        elif need.kind == "skill" and held > draft.skills[need.id]:
            message = msg("wants {n} people, and {there} have the skill",
                          n=held, there=draft.skills[need.id])  # fmt: skip
            draft.add(path, message)
        elif need.kind == "resource" and held > draft.resources[need.id].capacity:
            message = msg("wants {n}, and there are {capacity}",
                          n=held, capacity=draft.resources[need.id].capacity)  # fmt: skip
            draft.add(path, message)

    def _uses(self, mode: ModeSpec | TaskSpec, path: Key) -> Iterator[tuple[str, int]]:
        for name, amount in () if mode.uses is UNSET else mode.uses.items():
            if name not in self.draft.consumables:
                self.draft.unknown((*path, name), "consumable", name, self.draft.consumables)
            elif amount > self.draft.consumables[name].capacity:
                message = msg("wants {n}, and there are {capacity}",
                              n=amount, capacity=self.draft.consumables[name].capacity)  # fmt: skip
                self.draft.add((*path, name), message)
            yield name, amount

    def _cost(self, mode: ModeSpec | TaskSpec, path: Key, at: Mapping[str, Key]) -> Decimal:
        if mode.model is UNSET or not mode.model:
            for key in ("provider", "tier", "calls", "input_tokens", "output_tokens"):
                if getattr(mode, key) is not UNSET:
                    self.draft.add(at[key], msg("is of a model, and none is named"))
        if mode.cost_usd is not UNSET:
            return mode.cost_usd
        if mode.model is UNSET or not mode.model:
            return ZERO
        return self.prices.cost(mode, path, at)

"""What the running service is made of, and what all its requests share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sdlc_cli.core import when
from sdlc_cli.core.errors import ConfigError, SdlcError
from sdlc_cli.cost import config as costs
from sdlc_cli.cost.budget import BudgetState
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.privacy import Veil
from sdlc_cli.cost.store import rollup
from sdlc_cli.cost.store.ledger import Ledger, Tally
from sdlc_cli.cost.store.rollup import Scope
from sdlc_cli.cost.zones import zone
from sdlc_cli.serve import figures, keys, log
from sdlc_cli.serve.figures import Figures
from sdlc_cli.serve.forward import Forwarder
from sdlc_cli.serve.ingest import Writer
from sdlc_cli.serve.limits import Rates
from sdlc_cli.serve.metrics import Metrics
from sdlc_cli.serve.seal import keep_sealing
from sdlc_cli.serve.settings import BODIES, Settings
from sdlc_cli.serve.tracing import Tracer
from sdlc_cli.serve.webhook import Webhook

T = TypeVar("T")
_JOIN_S = 15.0  # that a stop waits for the copying of one batch
_DAY = rollup.KEYS.index("day")
_LOOK_S = 1.0  # between two looks at budgets, keys and the configuration file


class Service:
    """Made inside the event loop. `start`, then requests, then `stop`."""

    def __init__(
        self, settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.settings = settings
        self._now = now
        self.room = BODIES
        self.config = settings.config
        self.metrics = Metrics()
        self.tracer = Tracer(settings.trace_to) if settings.trace_to else None
        self.rates = Rates(settings.rate)
        self.keyring = keys.Keyring(b"")
        self.veil = Veil(self.config.privacy)
        self.stopping = False
        self.reloads = 0
        self.states: list[BudgetState] = []
        prices = figures.prices_of(self.config)
        self._cuts = figures.cuts_of(self.config, prices)
        self.owner = figures.owner_of(self.config)  # whose calls are; the same until it ends
        self._pepper = keys.pepper_of(settings.store, make=False)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="sdlc-read")
        self.figures = Figures(settings.store, self.config, prices, self._cuts)
        self._pricer = self.figures.pricer
        self._loop = asyncio.get_running_loop()
        self.writer = Writer(self._ledger, self._loop, self._committed)
        self.webhook = Webhook(self.config.webhook, self._was_told, self._note_told)
        self.forwarder = (
            Forwarder(settings.store, settings.forward, self._from_thread)
            if settings.forward
            else None
        )
        self._changed = True  # since the budgets were looked at
        self._day: date | None = None  # when the budgets were looked at, in their zone
        self._file_seen = self._file_time()
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Opens the store. Raises SdlcError when it cannot be written."""
        self.writer.start()
        await self.writer.started
        await self._load_keys()
        if self.forwarder:
            self.forwarder.start()
        self._background = [asyncio.create_task(self._watch())]
        if self.tracer:
            self._background.append(asyncio.create_task(self.tracer.keep_sending()))
        if self.settings.seal:
            store = self.settings.store
            folder = store.with_name(f"{store.name}.days")
            self._background.append(asyncio.create_task(keep_sealing(self.writer, store, folder)))

    async def stop(self) -> None:
        """Commits what waits, and closes the store."""
        self.stopping = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self.tracer:
            await self.tracer.send()
        if self.forwarder:
            self.forwarder.stop()
            await asyncio.get_running_loop().run_in_executor(None, self.forwarder.join, _JOIN_S)
        await self.webhook.close()
        await self.read(self.figures.close)  # first: who closes last writes the log into the file
        self._reading.shutdown()
        await asyncio.get_running_loop().run_in_executor(None, self.writer.stop)

    async def read(self, work: Callable[..., T], *given: Any) -> T:
        """Asks the sums, in the thread that may."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, work, *given)

    def reasons(self) -> list[str]:
        """Why the service is not ready; none when it is."""
        found = [self.writer.failure] if self.writer.failure else []
        if not self.writer.is_alive():
            found.append("the writer has ended")
        if self.stopping:
            found.append("the service is stopping")
        return found

    async def reload(self) -> str:
        """Reads budgets and prices anew; what is wrong with them, "" when nothing is."""
        file = self.config.file
        self._file_seen = self._file_time()
        if file is None:
            return ""
        try:
            found = costs.load(file, self.config.root)
            prices = figures.prices_of(found)
            cuts = figures.cuts_of(found, prices)
        except (SdlcError, OSError) as error:
            why = "; ".join(error.problems) if isinstance(error, ConfigError) else str(error)
            log.say("reload", "error", detail=why)
            return why
        fixed = ("attribute", "timezone", "privacy")
        if any(getattr(found, name) != getattr(self.config, name) for name in fixed):
            why = "attribute, timezone and privacy change with a restart; nothing was changed"
            log.say("reload", "error", detail=why)
            return why
        if cuts.sizes != self._cuts.sizes or cuts.minutes != self._cuts.minutes:
            why = "these prices change at limits that the sums do not have: restart the service"
            log.say("reload", "error", detail=why)
            return why
        await self._use(found)
        log.say("reload", budgets=len(found.budgets), prices=len(found.prices))
        return ""

    async def _use(self, found: CostConfig) -> None:
        """The sums that its budgets ask for first, then the budgets."""
        prices = figures.prices_of(found)
        scopes = self._scopes(found)
        await self.writer.ask(lambda ledger: ledger.scope(scopes))
        await self.read(self.figures.use, found, prices)
        self._pricer = self.figures.pricer
        self.webhook.use(found.webhook)
        self.config = found
        self.reloads += 1
        self._changed = True

    def _scopes(self, config: CostConfig) -> list[Scope]:
        return [figures.scope_of(budget, self.veil) for budget in config.budgets]

    def _ledger(self) -> Ledger:
        return Ledger(
            self.settings.store,
            owner=self.owner,
            rules=repr(self.config.attribute) if self.config.attribute else "",
            cuts=self._cuts,
            scopes=self._scopes(self.config),
        )

    def _committed(self, tally: Tally) -> None:
        """In the writer's thread, after each commit."""
        if tally.changes:
            self.figures.days.touch(record[_DAY] for record in tally.changes)
            pricer = self._pricer
            self.metrics.spent([pricer.line(record) for record in tally.changes])
            self._changed = True

    async def _load_keys(self) -> None:
        pepper = self._pepper

        def load() -> keys.Keyring:
            return keys.load(self.figures.con, pepper)

        self.keyring = await self.read(load)

    async def _watch(self) -> None:
        """Budgets, keys and the configuration file, as long as the service runs."""
        await self._warm()
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                if not self._pepper:
                    self._pepper = keys.pepper_of(self.settings.store, make=False)
                await self._load_keys()
                if self._file_time() != self._file_seen:
                    await self.reload()
                await self._look_at_budgets()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the next look may go better
                log.bug(error)

    async def _warm(self) -> None:
        """Reads all sums, and looks up their prices, before the first one asks for them."""
        try:
            await self.read(lambda: sum(1 for _ in self.figures.days.lines()))
        except Exception as error:  # noqa: BLE001 - whoever asks is told
            log.bug(error)

    async def _look_at_budgets(self) -> None:
        now = self._now()
        today = when.local_day(now, zone(self.config.timezone))
        if not (self._changed or today != self._day):
            return
        self._changed, self._day = False, today
        self.states = await self.read(self.figures.budgets, now)
        for state in self.states:
            if state.status == "broken":
                await self.webhook.broken(state)

    def _from_thread(self, work: Callable[[Ledger], object]) -> "Future[object]":
        """As `writer.ask`, for threads that wait for the answer."""

        async def asked() -> object:
            return await self.writer.ask(work)

        return asyncio.run_coroutine_threadsafe(asked(), self._loop)

    async def _was_told(self, name: str) -> bool:
        return bool(await self.writer.ask(lambda ledger: ledger.meta(name)))

    async def _note_told(self, name: str) -> object:
        return await self.writer.ask(lambda ledger: ledger.remark(name, "told"))

    def _file_time(self) -> float:
        try:
            return self.config.file.stat().st_mtime if self.config.file else 0.0
        except OSError:
            return 0.0

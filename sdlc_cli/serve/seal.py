"""Has past hours and days written as Parquet, by a child: its memory and time are its own."""

import asyncio
import json
import sys
import time
from pathlib import Path

from sdlc_cli.cost.store import seals
from sdlc_cli.cost.store.ledger import Ledger
from sdlc_cli.serve import log
from sdlc_cli.serve.ingest import Writer

LEAST_OF_DAY, LEAST_OF_HOUR = 20_000, 2_000  # calls that are worth a file
_EVERY_S = 60.0
_KEPT_S = 3_600  # that a file which is no longer needed is left for reports that read it


async def keep_sealing(writer: Writer, store: Path, folder: Path) -> None:
    """Looks for what to seal, as long as the service runs."""
    while True:
        try:
            await seal_once(writer, store)
            await _sweep(writer, folder)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the days stay in the store; it goes on later
            log.bug(error)
        await asyncio.sleep(_EVERY_S)


async def seal_once(writer: Writer, store: Path, now: float | None = None) -> int:
    """Seals every day and hour that is over; how many."""
    await _unseal_missing(writer, store.with_name(f"{store.name}.days"))
    moment = int((time.time() if now is None else now) * 1_000_000)
    spans = await writer.ask(
        lambda ledger: seals.unsealed(ledger.con, moment, LEAST_OF_DAY, LEAST_OF_HOUR)
    )
    assert isinstance(spans, list)
    done = 0
    for span in spans:
        done += await _seal(writer, store, span)
    return done


async def _seal(writer: Writer, store: Path, span: seals.Range) -> bool:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sdlc_cli.cost.engine.seal", str(store), *map(str, span),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = await child.communicate()
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    if child.returncode:
        log.say("seal", "warning", code=child.returncode)
        return False
    told = json.loads(out)
    seen = (told["rows"], told["top"], told["total"])

    def note(ledger: Ledger) -> bool:
        ledger.sealed = True
        return seals.seal(ledger.con, span, told["file"], seen)

    sealed = bool(await writer.ask(note))
    log.say("seal", file=told["file"], calls=told["rows"], kept=sealed)
    return sealed


async def _unseal_missing(writer: Writer, folder: Path) -> None:
    """What somebody removed is written anew."""
    needed = await writer.ask(lambda ledger: seals.files(ledger.con))
    assert isinstance(needed, set)
    gone = [name for name in needed if not (folder / name).is_file()]
    if gone:
        await writer.ask(lambda ledger: seals.drop(ledger.con, gone))


async def _sweep(writer: Writer, folder: Path) -> None:
    """Removes files of days that were sealed anew, once nobody reads them any more."""
    if not folder.is_dir():
        return
    needed = await writer.ask(lambda ledger: seals.files(ledger.con))
    assert isinstance(needed, set)
    for file in folder.glob("*.parquet"):
        if file.name not in needed and time.time() - file.stat().st_mtime > _KEPT_S:
            file.unlink(missing_ok=True)

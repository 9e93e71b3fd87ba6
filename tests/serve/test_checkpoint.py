"""The log is written into the store's file beside the commits, and begins anew."""

import time
from collections.abc import Callable
from pathlib import Path

from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.store.ledger import Ledger
from sdlc_cli.serve.checkpoint import Checkpoints


def batch(number: int, rows: int = 2_000) -> list[Told]:
    names = [f"{number}-{i}" for i in range(rows)]
    return [Told(row=Row(model="m", input=1, call_id=name, dedupe=name)) for name in names]


def until(condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 30
    while not condition() and time.monotonic() < ends:
        time.sleep(0.02)
    return condition()


def test_the_log_is_written_into_the_file_by_another_thread(tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    ledger = Ledger(file)
    ledger.share_log()
    checkpoints = Checkpoints(file)
    checkpoints.start()
    empty = file.stat().st_size

    tally = ledger.commit(batch(1))
    alone = file.stat().st_size
    checkpoints.note(tally.added)

    assert alone == empty, "the commit did it itself"
    assert until(lambda: file.stat().st_size > empty + 2_000 * 30)
    checkpoints.stop()
    ledger.close()


def test_a_log_that_grows_all_the_time_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    log = tmp_path / "usage.db-wal"
    ledger = Ledger(file)
    ledger.share_log()
    checkpoints = Checkpoints(file)
    checkpoints.start()

    for number in range(60):
        checkpoints.note(ledger.commit(batch(number)).added)

    checkpoints.stop()
    assert log.stat().st_size < 64 * 2**20
    ledger.close()
    assert not log.exists()

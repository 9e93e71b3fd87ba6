"""What `sdlc cost` says of the logs as it reads them: which, in which format, what was refused."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sdlc_cli.core.console import Console
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.printable import visible

if TYPE_CHECKING:
    from sdlc_cli.cost.engine.usage import Usage
    from sdlc_cli.cost.model import Rejection, SourceRead

MOST_SHOWN = 5  # sources and rejected records that stderr names


def tell(out: Console, usage: "Usage", rejects: Path | None) -> None:
    """Name what was read, and the first records that were not counted."""
    read = [source for source in usage.sources if source.format]
    for source in read[:MOST_SHOWN]:
        out.note(_read_line(source))
    more = len(read) - MOST_SHOWN
    if more > 0:
        rows = sum(source.rows for source in read[MOST_SHOWN:])
        out.note(
            ngettext(
                "read {n} more file: {rows} records",
                "read {n} more files: {rows} records",
                more,
            ).format(n=f"{more:,}", rows=f"{rows:,}")
        )
    _warn_of_sums(out, usage.sources)
    _warn_of_unread(out, [source.path for source in usage.sources if not source.format])
    rejected = sum(source.rejected for source in usage.sources)
    if rejects:
        from sdlc_cli.cost.report import rejects as listing

        listing.write(rejects, usage.rejections())
        out.note(_("wrote {path}").format(path=rejects))
    if rejected:
        warn_of_rejected(out, usage.rejections(), rejected, listed=rejects is not None)


def _read_line(source: "SourceRead") -> str:
    text = ngettext(
        "read {path}: {form}, {n} record", "read {path}: {form}, {n} records", source.rows
    ).format(path=visible(source.path), form=source.format, n=f"{source.rows:,}")
    return _("{text}, from the cache").format(text=text) if source.reused else text


def _warn_of_sums(out: Console, read: Sequence["SourceRead"]) -> None:
    """Sums of many calls have no ids: beside the calls themselves they count these again."""
    from sdlc_cli.cost.readers import detect

    found = [source for source in read if source.rows]
    sums = [
        source
        for source in found
        if (form := detect.FORMATS.get(source.format)) is not None and form.sums
    ]
    if sums and len(sums) < len(found):
        out.warn(
            _(
                "{path} ({form}) holds sums of many calls: those that another log tells of too are"
                " counted twice"
            ).format(path=visible(sums[0].path), form=sums[0].format)
        )


def _warn_of_unread(out: Console, paths: Sequence[str]) -> None:
    """What was named or found, and is in no total."""
    for path in paths[:MOST_SHOWN]:
        out.warn(_("{path}: not read, no log format fits").format(path=visible(path)))
    more = len(paths) - MOST_SHOWN
    if more > 0:
        out.warn(
            ngettext("{n} more file was not read", "{n} more files were not read", more).format(
                n=f"{more:,}"
            )
        )


def warn_of_rejected(
    out: Console, found: "Iterable[Rejection]", rejected: int, *, listed: bool
) -> None:
    """Show the first of the records that were not counted, and how many more there are."""
    from itertools import islice

    for one in islice(found, MOST_SHOWN):
        place = f"{one.path}:{one.line}" if one.line else one.path
        text = _("{place}: not counted: {reason}")
        out.warn(text.format(place=visible(place), reason=local(one.reason)))
    if rejected > MOST_SHOWN:
        rest = _("{n} more records were not counted").format(n=f"{rejected - MOST_SHOWN:,}")
        out.warn(rest if listed else _("{text}: --rejects FILE lists all").format(text=rest))

"""The console script: answers what needs no imports, picks the language, then starts the app."""

import sys


def main() -> int:
    """Run `sdlc` with the words of the command line. The answer is the exit code."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]) and _show_version():
        return 0

    import os

    from sdlc_cli.core import i18n

    i18n.use(i18n.choose(argv))  # before any sentence is loaded: help texts are made on import

    from sdlc_cli.cli import ending, front

    if front.asks_for_help(argv) and "_SDLC_COMPLETE" not in os.environ:
        return ending.run(lambda: front.show(os.environ))
    return ending.run(lambda: _start(argv))


def _start(argv: list[str]) -> int:
    import atexit
    import gc

    # What a run makes it keeps to its end, and then the system takes it all: to look for garbage
    # in it, while it is made and once more on leaving, is a tenth of a run over unchanged files.
    gc.set_threshold(200_000)
    atexit.register(_keep_all)
    from sdlc_cli.cli.app import main as start

    return start(argv)


def _keep_all() -> None:
    """Free nothing on leaving, unless DuckDB runs: its binding would report every object left."""
    if not {"duckdb", "_duckdb"} & sys.modules.keys():
        import gc

        gc.freeze()


def _show_version() -> bool:
    from sdlc_cli import __version__

    try:
        sys.stdout.write(f"sdlc {__version__}\n")
        sys.stdout.flush()
    except (OSError, AttributeError):
        return False  # closed or full: the long way has the words for it
    return True


if __name__ == "__main__":
    sys.exit(main())

"""Run the service: questions on port 8080, metrics on port 9090."""

import logging
import signal
import threading

from prometheus_client import start_http_server

from assistant.backends import Cache, Database, Model
from assistant.service import Service
from assistant.settings import read


def main() -> None:
    settings = read()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    database = Database(settings)
    database.prepare()
    service = Service(
        ("0.0.0.0", 8080),
        model=Model(settings),
        cache=Cache(settings) if settings.response_cache else None,
        database=database,
        workers=settings.max_workers,
    )
    start_http_server(9090)
    # `shutdown` waits for `serve_forever`, which runs in this thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=service.shutdown).start())
    logging.info("serving in %s", settings.region or "no region")
    service.serve_forever()
    service.server_close()


if __name__ == "__main__":
    main()

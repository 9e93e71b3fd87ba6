"""The three things outside: a language model, a cache, a database."""

import http.client
import json
import logging
import time

import psycopg
import redis

from assistant import telemetry
from assistant.settings import Settings


class Model:
    """Any service that speaks OpenAI's chat completions."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def answer(self, question: str) -> str:
        """The model's words. Raises OSError when it cannot be reached or refuses."""
        began, error = time.monotonic(), ""
        try:
            return self._ask(question)
        except (OSError, http.client.HTTPException, ValueError, LookupError) as failure:
            error = type(failure).__name__
            raise ConnectionError("the model gave no answer") from failure
        finally:
            spent = time.monotonic() - began
            telemetry.MODEL_CALLS.labels(self.settings.model, error).observe(spent)

    def _ask(self, question: str) -> str:
        settings = self.settings
        body = {"model": settings.model, "messages": [{"role": "user", "content": question}]}
        headers = {
            "Authorization": f"Bearer {settings.model_key}",
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPSConnection(settings.model_host, timeout=45)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            response = connection.getresponse()
            answer = json.load(response)
        finally:
            connection.close()
        if response.status != 200:
            raise ConnectionError(f"the model said {response.status}")
        self._count(answer["usage"])
        return str(answer["choices"][0]["message"]["content"])

    def _count(self, usage: dict[str, int]) -> None:
        settings = self.settings
        tokens = {"input": usage["prompt_tokens"], "output": usage["completion_tokens"]}
        for kind, number in tokens.items():
            telemetry.TOKENS.labels(settings.model, kind).observe(number)
        cost = tokens["input"] * settings.input_usd + tokens["output"] * settings.output_usd
        telemetry.COST.labels(settings.model).inc(cost / 1e6)


class Cache:
    """Answers by question, for a while."""

    def __init__(self, settings: Settings) -> None:
        self.client = redis.Redis.from_url(settings.redis_url, socket_timeout=1)
        self.ttl = settings.cache_ttl

    def get(self, question: str) -> str | None:
        """The answer; None where there is none, or no cache at the moment."""
        try:
            found = self.client.get(question)
        except redis.RedisError:
            return None
        return found.decode() if isinstance(found, bytes) else None

    def put(self, question: str, answer: str) -> None:
        """Remember it, if the cache can."""
        try:
            self.client.set(question, answer, ex=self.ttl)
        except redis.RedisError:
            return


class Database:
    """Every question and its answer."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.database_url

    def prepare(self) -> None:
        """Make the table where it is missing."""
        self._do(
            "CREATE TABLE IF NOT EXISTS answers (at timestamptz NOT NULL DEFAULT now(),"
            " question text NOT NULL, answer text NOT NULL)"
        )

    def keep(self, question: str, answer: str) -> None:
        """Write one down; a database that is away costs the record, not the answer."""
        try:
            self._do("INSERT INTO answers (question, answer) VALUES (%s, %s)", question, answer)
        except psycopg.Error:
            logging.exception("an answer was not recorded")

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            self._do("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _do(self, statement: str, *values: str) -> None:
        with psycopg.connect(self.url, connect_timeout=2) as connection:
            connection.execute(statement, values)

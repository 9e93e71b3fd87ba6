"""Answers questions with a language model; remembers answers in a cache and in a database."""

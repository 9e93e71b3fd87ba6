"""Answers support questions with a language model."""

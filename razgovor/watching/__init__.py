"""Watching as a process of its own, with its progress shown. Called by `razgovor watch run`."""

"""Logs as JSON lines: ids and figures, never names, numbers, file names or text of a call. Metrics: not even ids."""

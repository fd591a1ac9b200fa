"""`razgovor demo`: `razgovor transcribe` on the shipped samples, judged against their truths."""

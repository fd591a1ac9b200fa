"""`razgovor glossary`: what a client's calls are heard with. Nothing is told to an engine before it helped.

`access` reaches store and database, `shelf` keeps glossaries in the store, `checking` hears calls with and without one.
"""

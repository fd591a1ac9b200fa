"""watching: recordings are fetched from where a PBX leaves them, a folder or an SFTP server, and submitted like any upload.

Pure: `patterns`, `builtin`, `naming`, `date_folders`, `sidecars`, `oktell`, `decisions`. What they need of the world: `ports`.
`taking` is the one place that applies a decision; `rounds` is one look; `watcher` looks again and again; `running` makes
watchers out of what an operator wrote (`configuration`).
"""

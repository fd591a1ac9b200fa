"""`razgovor`: the root of the command line. Joins the commands; does nothing itself."""

from __future__ import annotations

import typer

from razgovor.commands import (
    audit,
    audit_log,
    backup,
    board,
    bundle,
    chaos,
    clients,
    demo,
    dlq,
    doctor,
    evaluate,
    glossary,
    keys,
    models,
    peers,
    requeue,
    services,
    store,
    topics,
    transcribe,
    up,
    usage,
    watch,
    webhooks,
)

app = typer.Typer(
    help="On-prem transcription of call-centre recordings, Russian first.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals can hold what was said
)
app.command("demo")(demo.demo)
app.command("transcribe")(transcribe.transcribe)
app.command("eval")(evaluate.evaluate_command)
app.command("up")(up.up)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(clients.app, name="clients")
app.add_typer(keys.app, name="keys")
app.command("usage")(usage.usage)
app.add_typer(glossary.app, name="glossary")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(watch.app, name="watch")
app.add_typer(dlq.app, name="dlq")
app.command("requeue")(requeue.requeue_command)
app.command("audit")(audit.audit_command)
app.command("audit-log")(audit_log.audit_log_command)
app.command("board")(board.board)
app.add_typer(peers.app, name="peers")
app.add_typer(topics.app, name="topics")
app.add_typer(store.app, name="store")
app.command("bundle")(bundle.bundle)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("chaos")(chaos.chaos)
services.register(app)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()

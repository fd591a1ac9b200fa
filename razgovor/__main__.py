"""`razgovor`: the root of the command line. Joins the commands; does nothing itself."""

from __future__ import annotations

import typer

from razgovor.commands import demo, doctor, keys, models, services, transcribe, up

app = typer.Typer(
    help="On-prem transcription of call-centre recordings, Russian first.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals can hold what was said
)
app.command("demo")(demo.demo)
app.command("transcribe")(transcribe.transcribe)
app.command("up")(up.up)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
services.register(app)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()

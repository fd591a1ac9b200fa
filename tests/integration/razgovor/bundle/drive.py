"""Run by the installed Python: starts razgovor.service as systemd would, as its user, and has a call transcribed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

import razgovor

DEADLINE_S = 400.0
UNIT = Path(sys.argv[1]).read_text(encoding="utf-8")
SAMPLE = Path(razgovor.__file__).with_name("demo") / "samples" / "people" / "golos_02.wav"


def said(name: str) -> str:
    """What the unit says, all lines of this name."""
    return " ".join(re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE))


def environment() -> list[str]:
    """The unit's, and that of its file."""
    lines = Path(said("EnvironmentFile").removeprefix("-")).read_text(encoding="utf-8").splitlines()
    return [*said("Environment").split(), *(line for line in lines if line and not line.startswith("#"))]


def as_user(*command: str) -> list[str]:
    """A command line under the unit's user and nothing else of ours."""
    account = ["setpriv", f"--reuid={said('User')}", f"--regid={said('Group')}", "--init-groups", "--no-new-privs"]
    return [*account, "env", "-i", "PATH=/usr/bin:/bin", *environment(), *command]


def eventually_completed(client: httpx.Client, job: str) -> None:
    """Raises when it ends otherwise, or not in time."""
    give_up_s = time.monotonic() + DEADLINE_S
    while (state := client.get(f"/v1/jobs/{job}").json()["state"]) != "completed":
        if state == "failed" or time.monotonic() > give_up_s:
            raise SystemExit(f"the call is {state}")
        time.sleep(0.5)


def main() -> None:
    """The service's life, and one call's."""
    folder = said("WorkingDirectory")
    with subprocess.Popen(
        as_user(*said("ExecStart").split()), cwd=folder, stdout=subprocess.PIPE, text=True
    ) as service:
        try:
            for line in service.stdout or ():
                sys.stdout.write(line)
                if found := re.search(r"answers at (http://\S+)", line):
                    transcribe(found[1], folder)
                    break
        finally:
            service.send_signal(signal.SIGTERM)
    if service.returncode != 0:
        raise SystemExit(f"the service ended with {service.returncode}")
    sys.stdout.write("TRANSCRIBED\n")


def transcribe(url: str, folder: str) -> None:
    """A key, a job, its text."""
    command = as_user("/usr/local/bin/razgovor", "keys", "create", "--client", "acme", "--data", folder)
    key = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        with SAMPLE.open("rb") as recording:
            answer = client.post("/v1/jobs", files={"file": recording}, data={"formats": "txt"}).raise_for_status()
        job = answer.json()["job_id"]
        eventually_completed(client, job)
        text = client.get(f"/v1/jobs/{job}/transcript", params={"format": "txt"}).raise_for_status().text
    if "яблоки" not in text.lower():
        raise SystemExit(f"not what was said: {text!r}")


main()

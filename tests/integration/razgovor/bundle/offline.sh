#!/bin/bash
# Run as root inside `unshare --mount --net`: a machine without a network, without a Python, with nothing of ours.
# $1: the tar. $2: a scratch folder. $3: the driver.
set -eu
ip link set lo up
test -z "$(ip route)"
cp -a /etc "$2/etc"
mount --bind "$2/etc" /etc
for folder in /opt /var/lib /usr/local/bin /root /home; do mount -t tmpfs -o size=3g none "$folder"; done
for one in /usr/bin/python3*; do if [ -f "$one" ]; then mount --bind /dev/null "$one"; fi; done
mkdir /opt/unpacked
tar xf "$1" -C /opt/unpacked
/opt/unpacked/*/install.sh
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify /etc/systemd/system/razgovor*.service /etc/systemd/system/razgovor-services.target
  for unit in /etc/systemd/system/razgovor*.service; do
    systemd-analyze security --offline=true --no-pager --threshold=25 "$unit" >/dev/null
  done
fi
/opt/unpacked/*/install.sh >"$2/again.txt" # a second time
/opt/razgovor/current/venv/bin/python -I "$3" /etc/systemd/system/razgovor.service

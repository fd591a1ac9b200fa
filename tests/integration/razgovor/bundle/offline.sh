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

# Another release over it, and back: only the pointer and the units move.
release=$(readlink /opt/razgovor/current)
before=$(cat /etc/systemd/system/razgovor.service)
mkdir /opt/razgovor/releases/9.9.9
cp -a "/opt/razgovor/$release/units" /opt/razgovor/releases/9.9.9/units
echo "# 9.9.9" >>/opt/razgovor/releases/9.9.9/units/razgovor.service
touch /opt/razgovor/releases/9.9.9/.installed
(cd /opt/unpacked/* && echo 9.9.9 >VERSION && sed -i "s/^[0-9a-f]*  VERSION$/$(sha256sum VERSION)/" SHA256SUMS)
echo "RAZGOVOR_MODEL=base # mine" >>/etc/razgovor/razgovor.env
/opt/unpacked/*/install.sh >/dev/null
test "$(readlink /opt/razgovor/current)" = releases/9.9.9
grep -q "# 9.9.9" /etc/systemd/system/razgovor.service
grep -q "# mine" /etc/razgovor/razgovor.env # what the administrator wrote stays
test -e /etc/razgovor/razgovor.env.new
/opt/unpacked/*/install.sh --rollback >/dev/null
test "$(readlink /opt/razgovor/current)" = "$release"
test "$(cat /etc/systemd/system/razgovor.service)" = "$before"
sed -i "s/ # mine$//" /etc/razgovor/razgovor.env

# A damaged bundle is refused before anything is touched.
(cd /opt/unpacked/* && echo >>requirements.lock)
if /opt/unpacked/*/install.sh >/dev/null 2>&1; then echo "a damaged bundle was installed"; exit 1; fi

/opt/razgovor/current/venv/bin/python -I "$3" /etc/systemd/system/razgovor.service

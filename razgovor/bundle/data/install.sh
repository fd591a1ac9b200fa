#!/bin/sh
# Installs razgovor from the folder that this script lies in. Needs no network. Run as root; run again it changes nothing.
#
#   ./install.sh [--prefix DIR] [--data DIR] [--config DIR] [--units DIR] [--bin DIR] [--user NAME] [--python FILE|bundled]
#   ./install.sh --rollback [--prefix DIR]     go back to the release that was current before
#
# Releases lie side by side in PREFIX/releases; `current` points at one of them. Configuration and data are never overwritten.
set -eu

PREFIX=/opt/razgovor DATA=/var/lib/razgovor CONFIG=/etc/razgovor UNITS=/etc/systemd/system BIN=/usr/local/bin
ACCOUNT=razgovor PYTHON= ROLLBACK=

say() { printf '%s\n' "$*"; }
die() { say "install.sh: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --rollback) ROLLBACK=yes; shift; continue ;;
    --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --*) [ $# -ge 2 ] || die "$1 needs a value" ;;
    *) die "what is $1? --help says what can be said" ;;
  esac
  case $1 in
    --prefix) PREFIX=$2 ;; --data) DATA=$2 ;; --config) CONFIG=$2 ;; --units) UNITS=$2 ;; --bin) BIN=$2 ;;
    --user) ACCOUNT=$2 ;; --python) PYTHON=$2 ;;
    *) die "what is $1? --help says what can be said" ;;
  esac
  shift 2
done
for folder in "$PREFIX" "$DATA" "$CONFIG" "$UNITS" "$BIN"; do
  case $folder in /*) ;; *) die "$folder: folders must begin with /" ;; esac
  case $folder in *[!A-Za-z0-9/._-]*) die "$folder: letters, digits, / . _ - only" ;; esac
done
[ "$(id -u)" = 0 ] || die "run it as root"

point_at() { # the release that runs from now on; the one before is kept in mind
  if [ -L "$PREFIX/current" ] && [ "$(readlink "$PREFIX/current")" != "$1" ]; then
    ln -sfn "$(readlink "$PREFIX/current")" "$PREFIX/previous"
  fi
  ln -sfn "$1" "$PREFIX/current.new"
  mv -T "$PREFIX/current.new" "$PREFIX/current"
}

reload() { # only where systemd runs
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}

if [ -n "$ROLLBACK" ]; then
  [ -L "$PREFIX/previous" ] || die "there is no release before this one in $PREFIX"
  before=$(readlink "$PREFIX/previous")
  [ -e "$PREFIX/$before/.installed" ] || die "$PREFIX/$before is not whole"
  point_at "$before"
  cp "$PREFIX/$before"/units/* "$UNITS/"
  reload
  say "current is ${before#releases/}; restart the services: systemctl restart razgovor (or razgovor-services.target)"
  exit 0
fi

cd "$(dirname "$0")"
HERE=$(pwd)
VERSION=$(cat VERSION)
WANTED=$(cat PYTHON)
RELEASE=$PREFIX/releases/$VERSION

say "checking the files of razgovor $VERSION"
sha256sum --check --quiet --strict SHA256SUMS || die "the bundle is damaged"
[ "$(uname -m)" = "$(cat MACHINE)" ] || die "this bundle is for $(cat MACHINE), this machine is $(uname -m)"

serves() { # whether a Python is of the wheels' version and has what we need of its library
  "$1" -I -c "import sys, ssl, ctypes, sqlite3, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$WANTED')" 2>/dev/null
}

choose_python() {
  case $PYTHON in
    '') for one in "/usr/bin/python$WANTED" "/usr/local/bin/python$WANTED"; do
          if serves "$one"; then PYTHON=$one; return; fi
        done ;;
    bundled) ;;
    *) serves "$PYTHON" || die "$PYTHON is no Python $WANTED with ssl, ctypes, sqlite3 and venv"; return ;;
  esac
  cp -R python "$RELEASE/python"
  PYTHON=$RELEASE/python/bin/python3
  serves "$PYTHON" || die "the bundle's Python does not run here (an older C library?): install Python $WANTED"
}

make_account() {
  getent group "$ACCOUNT" >/dev/null || groupadd --system "$ACCOUNT"
  getent passwd "$ACCOUNT" >/dev/null || useradd --system --gid "$ACCOUNT" --home-dir "$DATA" --no-create-home \
    --shell /usr/sbin/nologin --comment "razgovor" "$ACCOUNT"
}

install_packages() {
  "$PYTHON" -I -m venv --without-pip "$RELEASE/venv"
  pip=$(ls "$HERE"/wheels/pip-*.whl)
  PYTHONPATH=$pip "$RELEASE/venv/bin/python" -m pip --isolated install --quiet --disable-pip-version-check --no-index --no-cache-dir \
    --no-deps --require-hashes --find-links "$HERE/wheels" --requirement "$HERE/requirements.lock"
}

render_units() {
  mkdir "$RELEASE/units"
  for unit in units/*.service units/*.target; do
    sed -e '/^#include hardening$/{' -e 'r units/hardening.conf' -e 'd' -e '}' "$unit" \
      | sed -e "s#@PREFIX@#$PREFIX#g; s#@DATA@#$DATA#g; s#@CONFIG@#$CONFIG#g; s#@USER@#$ACCOUNT#g" \
      > "$RELEASE/units/$(basename "$unit")"
  done
}

install_release() {
  rm -rf "$RELEASE"
  mkdir -p "$RELEASE"
  choose_python
  say "Python: $PYTHON"
  say "installing $(ls wheels | wc -l) packages"
  install_packages
  cp -R docs "$RELEASE/docs"
  render_units
  chmod -R go+rX,go-w "$RELEASE"
  : > "$RELEASE/.installed"
}

umask 022
mkdir -p "$PREFIX/releases" "$PREFIX/cache" "$UNITS" "$BIN"
if [ -e "$RELEASE/.installed" ]; then say "$RELEASE is installed already"; else install_release; fi

for part in cache/*/*; do # models, and what Kafka is made of: shared by releases
  [ -e "$PREFIX/$part" ] && continue
  say "copying $part"
  mkdir -p "$PREFIX/$(dirname "$part")"
  rm -rf "$PREFIX/$part.new"
  cp -R "$part" "$PREFIX/$part.new"
  chmod -R go+rX,go-w "$PREFIX/$part.new"
  mv -T "$PREFIX/$part.new" "$PREFIX/$part"
done

make_account
mkdir -p "$DATA/tmp" "$CONFIG"
chown "$ACCOUNT:$ACCOUNT" "$DATA" "$DATA/tmp" # sockets lie in tmp, where `razgovor keys` finds them
chmod 700 "$DATA" "$DATA/tmp"
chown "root:$ACCOUNT" "$CONFIG"
chmod 750 "$CONFIG"
for sample in config/*.env; do # a changed sample is put beside what stands, never over it
  name=$CONFIG/$(basename "$sample")
  [ -e "$name" ] && cmp -s "$sample" "$name" && continue
  [ -e "$name" ] && name=$name.new
  cp "$sample" "$name"
  chown "root:$ACCOUNT" "$name"
  chmod 640 "$name" # passwords go in here
done
cp "$RELEASE"/units/* "$UNITS/"
cat > "$BIN/razgovor" <<END
#!/bin/sh
RAZGOVOR_CACHE=\${RAZGOVOR_CACHE:-$PREFIX/cache} exec $PREFIX/current/venv/bin/razgovor "\$@"
END
chmod 755 "$BIN/razgovor"
point_at "releases/$VERSION"
reload

say "razgovor $VERSION is installed in $PREFIX."
say "On one machine:       edit $CONFIG/razgovor.env, then: systemctl enable --now razgovor"
say "Servers elsewhere:    edit $CONFIG/ingest.env and the others, then: systemctl enable --now razgovor-services.target"
say "A key for a client:   runuser -u $ACCOUNT -- $BIN/razgovor keys create --client NAME --data $DATA"

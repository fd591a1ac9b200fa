#!/bin/sh
# Makes the secrets that compose.yaml mounts, each once; what is there stays. Prints nothing that is secret.
set -eu
umask 077
folder=${1:-"$(dirname "$0")/secrets"}
mkdir -p "$folder"
chmod 0700 "$folder"

random() { # letters and digits only: they go into addresses as they are
    head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'
}

keep() { # name, what it holds
    if [ ! -e "$folder/$1" ]; then
        printf '%s\n' "$2" > "$folder/$1.tmp"
        chmod 0444 "$folder/$1.tmp"
        mv "$folder/$1.tmp" "$folder/$1"
    fi
}

keep postgres_password "$(random)"
for service in ingest ledger auditor; do
    keep "${service}_database_password" "$(random)"
    keep "${service}_database_url" \
        "postgresql://razgovor_${service}:$(cat "$folder/${service}_database_password")@database:5432/razgovor"
done
for service in ingest transcriber exporter ledger auditor analytics; do
    keep "${service}_store_secret_key" "$(random)"
done
keep store_root_secret_key "$(random)"
keep store_encryption_key "razgovor:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
keep grafana_admin_password "$(random)"
echo "the secrets lie in $folder: back them up; without store_encryption_key no recording can be read"

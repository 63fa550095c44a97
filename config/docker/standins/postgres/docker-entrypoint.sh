#!/bin/sh
# As the official image's: POSTGRES_PASSWORD is the superuser's in an empty data directory, and the scripts in
# /docker-entrypoint-initdb.d are run once, on a server that nobody reaches over the network.
set -e
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    install -d -m 700 "$PGDATA"
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    secret=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:?must be set}" >"$secret"
    # shellcheck disable=SC2086
    initdb -D "$PGDATA" -U "${POSTGRES_USER:-postgres}" --pwfile="$secret" ${POSTGRES_INITDB_ARGS:-}
    rm "$secret"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    for script in /docker-entrypoint-initdb.d/*.sh; do
        if [ -e "$script" ]; then sh "$script"; fi
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
unset POSTGRES_PASSWORD
exec "$@" -c "listen_addresses=*"

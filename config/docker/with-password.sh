#!/bin/sh
# with-password.sh NAME COMMAND…: the start of a server of docker-compose.yml, which has its password from the file
# /secret/password, and makes one up where there is none. COMMAND gets it as the environment variable NAME. A password that
# is in that variable's place already, $SKSTORE_PASSWORD, is taken for the first one.
set -eu
umask 022
name=$1
shift

if [ ! -s /secret/password ]; then
    # 32 random bytes. Beside its place first: a half written one would be somebody's password for ever.
    made=${SKSTORE_PASSWORD:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}
    printf '%s\n' "$made" >/secret/password.new
    mv /secret/password.new /secret/password
fi
password=$(cat /secret/password)
unset SKSTORE_PASSWORD
export "$name=$password"

case $name in
# Redis takes it from its settings, so that it stands in no list of processes.
REDIS_PASSWORD)
    printf 'include /usr/local/etc/redis.conf\nrequirepass "%s"\n' "$password" >/secret/redis.conf
    unset REDIS_PASSWORD
    ;;
# Nobody needs that of the superuser, who is let in from the container itself without one.
SKSTORE_STORE_PASSWORD)
    POSTGRES_PASSWORD=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
    export POSTGRES_PASSWORD
    ;;
esac
exec "$@"

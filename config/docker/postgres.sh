#!/bin/sh
# The database of docker-compose.yml and its owner, who is no superuser: run once, by the image of PostgreSQL, when it has made
# its data directory.
set -eu
psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres --set "password=$SKSTORE_STORE_PASSWORD" <<'SQL'
CREATE ROLE skstore LOGIN PASSWORD :'password';
CREATE DATABASE skstore OWNER skstore;
REVOKE CONNECT ON DATABASE skstore FROM PUBLIC;
SQL

#!/bin/sh
# Run once by PostgreSQL's container, before it serves anybody: a role and a database for each daemon, which nobody else
# may use. The passwords come from files, and stand in no argument and in no statement that a log would show.
set -eu

for name in auth jobs products; do
  psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set name="$name" \
    --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" <<'SQL'
\set file /run/jobber/ :name '-password'
\set password `cat :file`
set log_statement = 'none';
set log_min_error_statement = 'panic';
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
done

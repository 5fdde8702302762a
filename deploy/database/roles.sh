#!/bin/sh
# Runs roles.sql where PostgreSQL's own image starts for the first time, with passwords from secrets.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
  --set owner_password="$(cat /run/secrets/owner-password)" \
  --set application_password="$(cat /run/secrets/application-password)" \
  --set worker_password="$(cat /run/secrets/worker-password)" \
  --file /roles.sql

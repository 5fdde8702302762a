#!/bin/sh
# Takes a base backup of the database into FOLDER, verifies it, and keeps the newest BACKUP_KEEP (7).
#   backup.sh FOLDER
# Whom to ask, PGHOST, PGPORT, PGUSER and PGPASSFILE say. Nothing is removed unless the new one is good;
# FOLDER/latest always leads to the last one that was. When that was, a file for Prometheus in the folder
# BACKUP_METRICS says, if there is one.
set -eu
PATH="${PG_BINDIR:-/usr/lib/postgresql/15/bin}:$PATH"
keep="${BACKUP_KEEP:-7}"
case "$keep" in
  '' | *[!0-9]* | 0) echo "BACKUP_KEEP: $keep is no number of backups from 1 on" >&2; exit 2 ;;
esac
[ $# -eq 1 ] || { echo "usage: backup.sh FOLDER" >&2; exit 2; }
[ -d "$1" ] || { echo "$1: there is no such folder" >&2; exit 2; }
cd "$1"

name="base-$(date -u +%Y%m%dT%H%M%SZ)"
unfinished="unfinished-$name"
trap 'rm -rf "$unfinished"' EXIT
trap 'exit 130' INT TERM
pg_basebackup --pgdata "$unfinished" --checkpoint fast --wal-method stream --no-password
pg_verifybackup --quiet "$unfinished"
mv "$unfinished" "$name"
ln -sfn "$name" latest

# Names sort by time: all but the newest go.
ls -d base-* | sort -r | tail -n "+$((keep + 1))" | while read -r old; do
  rm -rf "$old"
  echo "removed $old"
done
# For the alert BackupOld, by way of node_exporter's textfile collector.
if [ -n "${BACKUP_METRICS:-}" ]; then
  echo "registry_backup_timestamp_seconds $(date +%s)" > "$BACKUP_METRICS/registry_backup.prom.new"
  mv "$BACKUP_METRICS/registry_backup.prom.new" "$BACKUP_METRICS/registry_backup.prom"
fi
echo "made and verified $name"

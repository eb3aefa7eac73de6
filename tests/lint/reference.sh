#!/usr/bin/env bash
# Fails when a page of docs/reference/ is not what its program prints. Usage: reference.sh ROOT BIN
set -uo pipefail
cd "$1" || exit 2
status=0
for name in ntpd dnsd poold monitord; do
  program="$2/timepool-$name"
  [ -x "$program" ] || { echo "skipped: needs $program (./dev build programs)"; exit 77; }
  "$program" --print-reference | diff -u --label "docs/reference/$name.adoc" \
    --label "timepool-$name --print-reference" "docs/reference/$name.adoc" - || status=1
done
[ "$status" = 0 ] || echo "the pages differ from the programs: run ./dev docs and commit docs/reference" >&2
exit $status

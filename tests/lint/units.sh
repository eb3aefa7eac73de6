#!/usr/bin/env bash
# Judges each unit of packaging/systemd by systemd-analyze: an exposure of 2.0 at the most, and no
# setting that systemd does not know. Usage: units.sh ROOT
set -uo pipefail
cd "$1" || exit 2
command -v systemd-analyze >/dev/null || { echo "skipped: needs the package systemd"; exit 77; }
status=0
fail() { printf '%s\n' "$1" >&2; status=1; }

for unit in packaging/systemd/*.service; do
  said=$(LC_ALL=C systemd-analyze security --offline=true --no-pager --threshold=20 "$unit" 2>&1)
  judged=$?
  grep 'Overall exposure level' <<<"$said" | sed 's/[^ -~]*//g'
  [ "$judged" = 0 ] || fail "$unit: exposure above 2.0
$said"
  # The programs and pages that it names are not installed here.
  said=$(LC_ALL=C systemd-analyze verify --man=no "$unit" 2>&1 | grep -v 'is not executable')
  [ -z "$said" ] || fail "$unit: $said"
done
# The additions for some configurations are at least what systemd understands.
for part in packaging/systemd/drop-ins/*.conf; do
  work=$(mktemp -d)
  cp packaging/systemd/timepool-ntpd.service "$work/"
  mkdir "$work/timepool-ntpd.service.d"
  cp "$part" "$work/timepool-ntpd.service.d/"
  said=$(LC_ALL=C systemd-analyze verify --man=no "$work/timepool-ntpd.service" 2>&1 | grep -v 'is not executable')
  [ -z "$said" ] || fail "$part: $said"
  rm -rf "$work"
done
exit $status

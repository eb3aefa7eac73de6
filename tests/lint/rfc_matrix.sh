#!/usr/bin/env bash
# Fails when docs/rfc-matrix.md names a test, scenario or file that is not there. Usage: rfc_matrix.sh ROOT
set -uo pipefail
cd "$1" || exit 2
page=docs/rfc-matrix.md
status=0
fail() { printf '%s: %s\n' "$page" "$1" >&2; status=1; }
names=$(mktemp)
trap 'rm -f "$names"' EXIT
# "Suite.name" of each test, whether or not the macro's arguments stand on one line.
find src tests -name '*_test.cc' -exec cat {} + | tr '\n' ' ' |
  grep -oE '(TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\( *[A-Za-z0-9]+, *[A-Za-z0-9_]+' |
  sed -E 's/.*\( *([A-Za-z0-9]+), */\1./' >"$names"
grep -rhoE 'def test_[A-Za-z0-9_]+' tests --include='*.py' | sed 's/def //' >>"$names"

[ -s "$names" ] || fail "no tests were found"
count=0
while read -r name; do
  count=$((count + 1))
  case "$name" in
    src/* | tests/*) [ -e "$name" ] || fail "no file $name" ;;
    [0-9][0-9][0-9]) ls tests/scenarios/"$name"-*.toml >/dev/null 2>&1 || fail "no scenario $name" ;;
    [A-Z]*.* | test_*) [ "$name" = test_name ] || [ "$name" = Suite.name ] || grep -qxF "$name" "$names" || fail "no test $name" ;;
  esac
done < <(sed 's/`[^`]*\*[^`]*`//g' "$page" | grep -oE '`[^` ]+`' | tr -d '`' | sort -u)
[ "$count" -gt 50 ] || fail "hardly any names were found: $count"
exit $status

#!/usr/bin/env bash
# Fails when docs/rfc-matrix.md or docs/nts-for-pools.md names a test, scenario or file that is not there, or when an id of
# the latter has no row. Usage: rfc_matrix.sh ROOT
set -uo pipefail
cd "$1" || exit 2
status=0
fail() { printf '%s: %s\n' "$page" "$1" >&2; status=1; }
names=$(mktemp)
trap 'rm -f "$names"' EXIT
# "Suite.name" of each test, whether or not the macro's arguments stand on one line.
find src tests -name '*_test.cc' -exec cat {} + | tr '\n' ' ' |
  grep -oE '(TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\( *[A-Za-z0-9]+, *[A-Za-z0-9_]+' |
  sed -E 's/.*\( *([A-Za-z0-9]+), */\1./' >"$names"
grep -rhoE 'def test_[A-Za-z0-9_]+' tests --include='*.py' | sed 's/def //' >>"$names"

# $1: what stands between backticks, each word for itself; a * in a test's name stands for any letters.
check_word() {
  case "$1" in
    src/* | tests/*) [ -e "$1" ] || fail "no file $1" ;;
    [0-9][0-9][0-9]) ls tests/scenarios/"$1"-*.toml >/dev/null 2>&1 || fail "no scenario $1" ;;
    *_test.py) ls tests/*/"$1" >/dev/null 2>&1 || fail "no file $1" ;;
    test_name | Suite.name) ;;
    [A-Z]*.* | test_*) grep -qx "${1//\*/.*}" "$names" || fail "no test $1" ;;
  esac
}

page=docs/rfc-matrix.md
[ -s "$names" ] || fail "no tests were found"
count=0
while read -r name; do
  count=$((count + 1))
  check_word "$name"
done < <(sed 's/`[^`]*\*[^`]*`//g' "$page" | grep -oE '`[^` ]+`' | tr -d '`' | sort -u)
[ "$count" -gt 50 ] || fail "hardly any names were found: $count"

page=docs/nts-for-pools.md
for id in LC{1..7} LM{1..4} LO{1..6} A{1..12}; do
  # Of the last column.
  words=$(sed -n "s/^| $id |.*| \([^|]*\) |\$/\1/p" "$page" | grep -oE '`[^`]+`' | tr -d '`' | tr ' ' '\n' |
    grep -E '\.|^test_|^[0-9]{3}$')
  [ -n "$words" ] || fail "no row with tests for $id"
  while read -r word; do check_word "$word"; done <<<"$words"
done
exit $status

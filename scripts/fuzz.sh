#!/usr/bin/env bash
# `npm run fuzz`: asks every call of a started service at random, from its OpenAPI document, with schemathesis (Python, from PyPI,
# in a folder of its own). No 5xx, no answer that is not in the document. FUZZ_EXAMPLES: how many requests a call gets.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
service=''
finish() {
  [ -z "$service" ] || { kill "$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; }
  rm -rf "$work"
}
trap finish EXIT

if ! python3 -m venv "$work/venv" 2>/dev/null || ! "$work/venv/bin/pip" install -q --disable-pip-version-check 'schemathesis==4.*'; then
  echo 'SKIPPED: fuzzing with schemathesis; it needs python3 with venv, and PyPI'
  exit "${REQUIRE_FUZZ:-0}"
fi

key=a-key-for-fuzzing-alone
DATA_DIR=$work/data PORT=0 HOST=127.0.0.1 ADMIN_API_KEY=$key REVIEW=off LOG_LEVEL=error WEB_PUSH=outbox \
  node dist/src/main.js >"$work/out" 2>"$work/log" &
service=$!
url=''
for _ in $(seq 300); do
  url=$(sed -n 's/.*ready at //p' "$work/out")
  [ -n "$url" ] && break
  sleep 0.2
done
[ -n "$url" ] || { cat "$work/log"; echo 'the service did not start'; exit 1; }

# the event stream never ends by itself, and of a whole mail it can make none (the fuzzers of test/fuzz do)
status=0
# it keeps what it found in the folder it runs in
cd "$work"
"$work/venv/bin/schemathesis" run "$url/api/v1/openapi.json" \
  --header "Authorization: Bearer $key" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance \
  --exclude-path-regex '/pushes/.*/events$|/hooks/email$' \
  --max-examples "${FUZZ_EXAMPLES:-10}" --phases examples,fuzzing --workers 2 \
  --request-timeout 20 --seed "${FUZZ_SEED:-1}" --no-color || status=$?
[ ! -s "$work/log" ] || { echo 'what the service complained of:'; head -c 4000 "$work/log"; }
exit "$status"

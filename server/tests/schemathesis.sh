#!/usr/bin/env bash
# Asks a running server what its API's document allows and what it does not, and reports answers that the document
# does not have. Needs Python's `schemathesis`. It starts runs and deletes them: give it a server of its own.
#
#   vivarium --port 7879 --data-dir "$(mktemp -d)" &
#   server/tests/schemathesis.sh http://127.0.0.1:7879
set -euo pipefail
url=${1:?the address of a running server}
shift
exec schemathesis run "$url/api/v1/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method \
    --max-examples 20 --request-timeout 30 --seed 1 "$@"

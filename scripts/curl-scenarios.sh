#!/usr/bin/env bash
# Three scenarios of a client that knows nothing but HTTP, against a running platform: each once with the cookie that
# login sets, and once with `Authorization: Bearer`. Needs bash and curl. The last line is `N passed, N failed`; the
# first failure ends the run with exit code 1 and shows the answer. Each run registers users of its own.
#
# Queries name GraphQL variables, which the shell must leave alone.
# shellcheck disable=SC2016
set -uo pipefail

if [ $# -ne 0 ] && [ $# -ne 3 ]; then
  echo 'Usage: scripts/curl-scenarios.sh [AUTH_URL JOBS_URL PRODUCTS_URL]' >&2
  exit 2
fi
auth=${1:-http://127.0.0.1:3000}
jobs=${2:-http://127.0.0.1:3001}
products=${3:-http://127.0.0.1:3003}

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
product_file=$repository/assets/products.json
# How long a job may take, in seconds.
patience=60

work=$(mktemp -d "${TMPDIR:-/tmp}/jobber-curl-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
umask 077

passed=0
answer=
status=
way=

pass() {
  passed=$((passed + 1))
  printf '  ok      %s\n' "$1"
}

fail() {
  printf '  FAILED  %s\n' "$1"
  printf '          HTTP status: %s\n          answer: %s\n' "${status:-none}" "${answer:-none}"
  printf '\n%d passed, 1 failed\n' "$passed"
  exit 1
}

# expect <what is checked> <text that the answer must contain>
expect() {
  case $answer in
    *"$2"*) pass "$1" ;;
    *) fail "$1: expected $2" ;;
  esac
}

# value <name>: the first value of that name in the answer, which is JSON without blanks.
value() {
  printf '%s' "$answer" | grep -oE "\"$1\":(\"[^\"]*\"|[^],}]*)" | head -n 1 | sed -e "s/^\"$1\"://" -e 's/^"//' -e 's/"$//'
}

# send <curl's arguments…>: sets `answer` and `status`. Tokens and passwords travel in files and on standard input, not
# among the arguments, which every user of the machine can read.
send() {
  status=$(curl --silent --show-error --max-time 30 --output "$work/answer" --write-out '%{http_code}' "$@" 2>"$work/problem") || {
    answer=$(cat "$work/problem")
    fail 'the request'
  }
  answer=$(cat "$work/answer")
}

# ask <url> <query> <variables> [curl's arguments…]: a GraphQL request. The query must hold no double quotes.
ask() {
  local url=$1 query=$2 variables=$3
  shift 3
  printf '{"query":"%s","variables":%s}' "$query" "$variables" >"$work/request"
  send "$@" --header 'content-type: application/json' --data-binary "@$work/request" "$url"
}

# As `ask`, as the user who has logged in.
ask_as_user() {
  ask "$@" "${credentials[@]}"
}

create_user() {
  email=curl-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')@example.com
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  ask "$auth/auth/graphql" \
    'mutation ($input: CreateUserInput!) { createUser(createUserInput: $input) { id email } }' \
    "{\"input\":{\"email\":\"$email\",\"password\":\"$password\"}}"
  expect 'createUser answers with the user' "\"email\":\"$email\""
}

login() {
  rm -f "$work/cookies" "$work/bearer"
  ask "$auth/auth/graphql" \
    'mutation ($input: LoginInput!) { login(loginInput: $input) { id email accessToken refreshToken expiresAt } }' \
    "{\"input\":{\"email\":\"$email\",\"password\":\"$password\"}}" --cookie-jar "$work/cookies"
  expect 'login answers with tokens' '"accessToken":"'
  printf 'Authorization: Bearer %s\n' "$(value accessToken)" >"$work/bearer"
  if [ "$way" = cookie ]; then
    grep -q 'Authentication' "$work/cookies" || fail 'login sets the cookie Authentication'
    pass 'login sets the cookie Authentication'
    credentials=(--cookie "$work/cookies")
  else
    credentials=(--header "@$work/bearer")
  fi
}

# execute <job type> <data>: sets `job` to the id.
execute() {
  ask_as_user "$jobs/jobs/graphql" \
    'mutation ($input: ExecuteJobInput!) { executeJob(executeJobInput: $input) { id name size completed status startedAt endedAt } }' \
    "{\"input\":{\"name\":\"$1\",\"data\":$2}}"
  expect "executeJob $1 answers at once" '"completed":0,"status":"IN_PROGRESS"'
  job=$(value id)
}

poll_to_completed() {
  local deadline=$((SECONDS + patience))
  while :; do
    ask_as_user "$jobs/jobs/graphql" \
      'query ($id: Float!) { job(id: $id) { id name size completed failed status startedAt endedAt result counters errors { index reason message } } }' \
      "{\"id\":$job}"
    [ "$(value status)" = IN_PROGRESS ] || break
    [ "$SECONDS" -lt "$deadline" ] || fail "job $job ends within $patience s"
    sleep 0.2
  done
  expect "job $job is polled to COMPLETED" '"status":"COMPLETED"'
}

# upload <file>: sets `file_name` and `records`.
upload() {
  send "${credentials[@]}" --form "file=@$1" "$jobs/jobs/uploads/file"
  [ "$status" = 201 ] || fail "the upload of $(basename "$1") is answered with 201"
  file_name=$(value filename)
  records=$(value records)
  [ -n "$file_name" ] || fail 'the upload is answered with a file name'
  pass "$(basename "$1") is uploaded: $records records"
}

look_at_products() {
  ask_as_user "$products/products/graphql" \
    'query ($job: Float!) { products(filter: { jobId: $job }, limit: 20) { id name category basePrice price stock rating description sku } }' \
    "{\"job\":$job}"
}

refused() {
  [ "$status" = 200 ] || fail "$1: expected HTTP 200"
  expect "$1" '"message":"Unauthorized"'
  case $answer in *'"code":401'*) ;; *) fail "$1: expected the code 401" ;; esac
}

scenario_fibonacci() {
  create_user
  login
  execute Fibonacci '{"iterations":100}'
  poll_to_completed
  expect 'the hundredth Fibonacci number is exact' 354224848179261915075
}

scenario_load() {
  create_user
  login
  upload "$product_file"
  execute LoadProducts "{\"fileName\":\"$file_name\"}"
  poll_to_completed
  expect 'every record of the file has become a product' "\"size\":$records,\"completed\":$records,\"failed\":0"
  look_at_products
  expect 'the products of the file are listed' '"name":"'

  # 110.53 with the 4 % of Home & Kitchen is 114.9512; an unknown category adds nothing.
  execute LoadProducts '[
    {"name":"Kettle","category":"Home & Kitchen","price":110.53,"stock":7,"rating":4.5,"description":"1.7 litres"},
    {"name":"Sundial","category":"Timekeeping","price":80.10,"stock":1,"rating":5,"description":"Needs no battery"}]'
  poll_to_completed
  look_at_products
  expect 'the category has added its charge' '"price":"114.9512"'
  expect 'an unknown category has added nothing' '"basePrice":"80.10","price":"80.10"'
}

scenario_logout() {
  create_user
  login
  ask_as_user "$auth/auth/graphql" '{ me { id email roles } }' '{}'
  expect 'Auth knows the user' "\"email\":\"$email\""
  ask_as_user "$jobs/jobs/graphql" '{ jobs(limit: 5) { id status } }' '{}'
  expect 'Jobs lists the jobs of the user: none' '"jobs":[]'
  ask_as_user "$products/products/graphql" '{ categories { name charge } }' '{}'
  expect 'Products lists the categories' '"name":"Electronics","charge":"5"'

  ask_as_user "$auth/auth/graphql" 'mutation { logout }' '{}' --dump-header "$work/headers"
  expect 'logout ends the session' '"logout":true'
  grep -qi '^set-cookie: Authentication=;' "$work/headers" || fail 'logout clears the cookie'
  pass 'logout clears the cookie'

  # With the token or the cookie of before: the session itself has ended.
  ask_as_user "$auth/auth/graphql" '{ me { id email roles } }' '{}'
  refused 'Auth refuses the ended session'
  ask_as_user "$jobs/jobs/graphql" '{ jobs(limit: 5) { id status } }' '{}'
  refused 'Jobs refuses the ended session'
  ask_as_user "$products/products/graphql" '{ categories { name charge } }' '{}'
  refused 'Products refuses the ended session'
}

for way in cookie bearer; do
  if [ "$way" = cookie ]; then by='the cookie'; else by='Authorization: Bearer'; fi
  printf '\n1. A Fibonacci job, by %s\n' "$by"
  scenario_fibonacci
  printf '\n2. Products from a file and inline, by %s\n' "$by"
  scenario_load
  printf '\n3. Login, use, logout, refusal, by %s\n' "$by"
  scenario_logout
done

printf '\n%d passed, 0 failed\n' "$passed"

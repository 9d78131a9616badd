#!/bin/sh
# The whole job on the small team's declaration: plan, apply, drift, and a plan that is refused.
#
# Works on a copy of this folder, against an empty sandbox on a free port of this machine. Needs the installed
# `reconciler` (in the PATH, or in the .venv of the repository) and nothing else. Every command is printed before its
# output. A command that ends with another exit code than expected ends the script.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
[ ! -x "$root/.venv/bin/reconciler" ] || PATH="$root/.venv/bin:$PATH"
if ! command -v reconciler >/dev/null; then
    echo "try.sh: reconciler is not installed: python3 -m venv .venv && .venv/bin/pip install ." >&2
    exit 1
fi
python=$(dirname -- "$(command -v reconciler)")/python
[ -x "$python" ] || python=python3

work=$(mktemp -d)
: >"$work/exports"
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' HUP INT PIPE TERM

# Nothing of the caller's own ClearML set-up takes part.
unset CLEARML_AUTH_TOKEN CLEARML_API_HOST CLEARML_API_ACCESS_KEY CLEARML_API_SECRET_KEY CLEARML_CONFIG_FILE
unset TRAINS_API_HOST TRAINS_API_ACCESS_KEY TRAINS_API_SECRET_KEY TRAINS_CONFIG_FILE RECONCILER_DEBUG

mkdir "$work/team"
(cd "$here" && cp -R workspace.yaml vaults "$work/team") && mkdir "$work/team/out"
cd "$work/team"

reconciler sandbox serve --db ../sandbox.db --port 0 >../exports 2>../serve.log &
server=$!
attempts=0
until grep -q CLEARML_API_SECRET_KEY ../exports; do
    attempts=$((attempts + 1))
    if [ "$attempts" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "try.sh: the sandbox did not start" >&2
        cat ../serve.log >&2
        exit 1
    fi
    sleep 0.2
done
. ../exports
export S3_KEY=example-key S3_SECRET=example-secret

# The only change that the declaration needs: it is for the sandbox now.
sed "s|https://api.clear.ml|$CLEARML_API_HOST|" workspace.yaml >../edited && cp ../edited workspace.yaml

# run EXPECTED COMMAND...: print the command, run it, and insist on its exit code.
run() {
    expected=$1
    shift
    echo "\$ $*"
    status=0
    "$@" 2>&1 || status=$?
    [ "$status" -eq 0 ] || echo "(exit code $status)"
    echo
    if [ "$status" -ne "$expected" ]; then
        echo "try.sh: expected exit code $expected" >&2
        exit 1
    fi
}

echo "# A new admin and an account that acts for others are gains that nobody should overlook: a guard asks for each."
run 4 reconciler plan
run 0 reconciler apply --yes --allow new-admin --allow impersonation
run 0 reconciler plan

echo "# The people sign in for the first time; what waited for them can be done now."
run 0 reconciler sandbox accept --db ../sandbox.db ada@acme.io
run 0 reconciler sandbox accept --db ../sandbox.db lena@acme.io
run 0 reconciler sandbox accept --db ../sandbox.db tom@acme.io
run 0 reconciler apply --yes

echo "# Somebody makes lena@acme.io an admin behind the declaration's back, through the API."
"$python" - lena@acme.io admin <<'PYTHON'
import base64, json, os, sys, urllib.request

pair = f"{os.environ['CLEARML_API_ACCESS_KEY']}:{os.environ['CLEARML_API_SECRET_KEY']}".encode()
headers = {"Content-Type": "application/json", "Authorization": f"Basic {base64.b64encode(pair).decode()}"}
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(endpoint, **body):
    url = f"{os.environ['CLEARML_API_HOST']}/{endpoint}"
    with direct.open(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=30) as answer:
        return json.load(answer)["data"]


email, role = sys.argv[1:]
users = call("users.get_all_ex", include_auth=True)["users"]
[user] = [user["id"] for user in users if user.get("email") == email]
call("users.set_role", user=user, role=role)
print(f"users.set_role: {email} is {role} now\n")
PYTHON

run 2 reconciler drift
run 0 reconciler apply --yes
run 0 reconciler drift

echo "# The declaration loses two of four people: more than the policy allows without a guard."
cp workspace.yaml workspace.yaml.before
sed -e '/email: lena@/d' -e '/email: tom@/d' -e 's/, lena@acme.io//' -e 's/, tom@acme.io//' workspace.yaml.before >workspace.yaml
run 1 diff workspace.yaml.before workspace.yaml
run 4 reconciler plan

# shellcheck shell=bash
# What the scripts share: where things lie, how they speak, and how an environment is made once.

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/api-balance
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$CACHE"

# The oldest Home Assistant that is supported and tested, and the newest.
# shellcheck disable=SC2034
FLOOR_ENV=$ROOT/.venv FLOOR_VERSION=2026.10.4
# shellcheck disable=SC2034
NEWEST_ENV=$ROOT/.venv-2026.11 NEWEST_VERSION=2026.11.0

say() {
    printf '==> %s\n' "$*" >&2
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# A program that PyPI ships, fetched into the cache where the machine has none.
tool_path() {
    local found
    if ! found=$(command -v "$1"); then
        found=$CACHE/tools/$1/bin/$1
        if [[ ! -x $found ]]; then
            say "fetching $1"
            PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --target "$CACHE/tools/$1" "$1" >&2 ||
                fail "python3 with pip is needed to fetch $1"
        fi
    fi
    echo "$found"
}

uv_path() {
    tool_path uv
}

# make_env FOLDER [--override FILE] FILE...
# A virtual environment with everything that the requirements files ask for. Nothing happens while they are unchanged.
# What stands in the file after --override wins over what the packages themselves ask for.
make_env() (
    env=$1 arguments=() files=()
    shift
    while (($#)); do
        if [[ $1 == --override ]]; then
            arguments+=(--override "$2")
            files+=("$2")
            shift
        else
            arguments+=(--requirements "$1")
            files+=("$1")
        fi
        shift
    done

    # Two scripts may start at the same time.
    exec 9>"$env.lock"
    ! command -v flock >/dev/null || flock 9

    stamp=$env/.made-from
    wanted=$(cat -- "${files[@]}" | git hash-object --stdin)
    works() { "$env/bin/python" -c "" 2>/dev/null; }
    if [[ -e $stamp && $(<"$stamp") == "$wanted" ]] && works; then
        exit
    fi

    uv=$(uv_path)
    if ! works; then
        python=$("$ROOT/scripts/python")
        "$uv" venv --quiet --no-project --clear --python "$python" "$env"
    fi
    say "installing ${files[*]##*/} in ${env##*/} (a minute or more when it is new)"
    "$uv" pip install --quiet --python "$env/bin/python" "${arguments[@]}"
    echo "$wanted" >"$stamp"
)

make_floor_env() {
    make_env "$FLOOR_ENV" "$ROOT/requirements_test.txt"
}

# The demo and the end-to-end tests run a whole Home Assistant in this one.
make_newest_env() {
    make_env "$NEWEST_ENV" --override "$ROOT/requirements_2026.11.txt" \
        "$ROOT/requirements_test.txt" "$ROOT/requirements_demo.txt"
}

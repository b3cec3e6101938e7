# Sourced by server, test and check: makes .venv and installs what "$1" (a requirements file) pins, once per change of it.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
    echo "$*" >&2
    exit 1
}

find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3 python; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

# Debian's packages, when this machine has apt and we may use it.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local sudo=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
        sudo="sudo -n"
    fi
    $sudo apt-get install -y -qq "$@" >/dev/null 2>&1 ||
        { $sudo apt-get update -qq >/dev/null 2>&1 && $sudo apt-get install -y -qq "$@" >/dev/null 2>&1; }
}

set_up() {
    local wanted=$1 python stamp name
    python=$(find_python) || die "Toile needs Python 3.11 or newer."
    stamp=$(cat requirements*.txt | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
    # What the tests need includes what the application needs.
    for name in "$wanted" requirements-dev.txt; do
        if [ "$(cat ".venv/.$name" 2>/dev/null)" = "$stamp" ]; then
            return
        fi
    done
    if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        echo "Making .venv ..."
        "$python" -m venv --clear .venv 2>/dev/null || { apt_install python3-venv && "$python" -m venv --clear .venv; } ||
            die "Python's venv module is missing; install it (Debian: apt-get install python3-venv) and try again."
    fi
    echo "Installing $wanted (the first time takes a few minutes) ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$wanted" || die "The packages could not be installed."
    .venv/bin/python -m pip check || die "The installed packages do not fit together."
    echo "$stamp" >".venv/.$wanted"
}

# Amazon's inference toolkit, in a folder of its own: it needs older packages than Toile.  Tests of what is packed use it.
install_toolkit() {
    local folder=.venv/sagemaker stamp
    stamp=$(cat requirements-sagemaker.txt ml_backend/shipping/requirements.txt)
    [ "$(cat "$folder/.installed" 2>/dev/null)" != "$stamp" ] || return 0
    echo "Installing requirements-sagemaker.txt ..."
    rm -rf "$folder"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$folder" \
        -r requirements-sagemaker.txt || die "The packages could not be installed."
    echo "$stamp" >"$folder/.installed"
}

# GNU gettext, for whoever changes words; running Toile and its tests need none.
install_gettext() {
    command -v msgfmt >/dev/null && command -v xgettext >/dev/null || apt_install gettext
}

# PostgreSQL and Redis, for what runs on the servers of production.
install_servers() {
    local missing=()
    command -v postgres >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || missing+=(postgresql)
    command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing+=(redis-server)
    [ "${#missing[@]}" -gt 0 ] || return 0
    echo "Installing ${missing[*]} ..."
    apt_install "${missing[@]}"
}

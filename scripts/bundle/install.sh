#!/bin/sh
# Installs Shapan for this user on a Linux machine without network. It needs Python 3.11 and nothing else.
#   ./install.sh [--prefix FOLDER] [--autostart [OPTIONS OF shapan serve]]
# Run it again with a newer bundle to update: stores, keys and backups lie elsewhere (SHAPAN_HOME) and stay.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
prefix=${XDG_DATA_HOME:-$HOME/.local/share}/shapan-program
autostart=no
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -ge 2 ] || { echo "--prefix needs a folder." >&2; exit 2; }; prefix=$2; shift 2 ;;
        --autostart) autostart=yes; shift; break ;; # what is left is for shapan serve
        *) sed -n '2,4s/^# *//p' "$0" >&2; exit 2 ;;
    esac
done

python=
for name in "${PYTHON:-}" python3.11 python3; do
    if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "Shapan needs Python 3.11, which this bundle does not bring: install it from your system's packages, or name it: PYTHON=/path/to/python3.11 ./install.sh" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "This Python 3.11 has no 'venv'. Install it from your system's packages (on Debian: python3.11-venv)." >&2
    exit 1
fi
if [ ! -d "$here/wheels/linux" ]; then
    echo "There is no folder wheels/linux beside this script: unpack the whole bundle." >&2
    exit 1
fi
(cd "$here" && sha256sum --quiet --check SHA256SUMS) || { echo "The bundle is damaged or was changed: copy it again." >&2; exit 1; }

"$python" -m venv "$prefix"
"$prefix/bin/python" -m pip --disable-pip-version-check install --quiet --no-index --find-links "$here/wheels/linux" \
    --require-hashes --requirement "$here/requirements-linux.txt"
mkdir -p "$HOME/.local/bin"
ln -sf "$prefix/bin/shapan" "$HOME/.local/bin/shapan"
echo "Installed: $prefix/bin/shapan (also $HOME/.local/bin/shapan)."

if [ "$autostart" = yes ]; then
    units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
    mkdir -p "$units"
    # Each option in quotes of its own, as systemd reads them; a percent sign would be a placeholder there.
    options=
    for option in "$@"; do
        options="$options \"$(printf %s "$option" | sed 's/[\\"]/\\&/g; s/%/%%/g; s/\$/$$/g')\""
    done
    escaped=$(printf %s "\"$prefix/bin/shapan\" serve$options" | sed 's/[\\&|]/\\&/g')
    sed "s|@COMMAND@|$escaped|" "$here/shapan.service" > "$units/shapan.service"
    echo "Written: $units/shapan.service"
    if systemctl --user daemon-reload 2>/dev/null; then
        systemctl --user enable --now shapan.service
        loginctl enable-linger "$(id -un)" 2>/dev/null || echo "To start before anybody signs in, have an administrator run: loginctl enable-linger $(id -un)"
    else
        echo "systemd does not answer here. Later, run: systemctl --user enable --now shapan.service"
    fi
fi
echo "Next: shapan demo, then shapan serve; or docs/admin.md for a real place."

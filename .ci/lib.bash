# What the scripts beside this file share. Sourced, not run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything that is fetched or built stays in this folder, outside of the
# repository; it may be removed at any time.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weatheractors

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT]
die() {
	say "${0##*/}: $1"
	[ $# -lt 2 ] || say "hint: $2"
	exit 1
}

# need COMMAND HINT
need() { command -v "$1" >/dev/null || die "$1: not found" "$2"; }

# sum FILE...: a name for the content of files.
sum() { cat "$@" | cksum | awk '{ print $1 "-" $2 }'; }

# venv: prints the path of a Python that has what requirements.txt lists. The
# first call makes it.
venv() {
	need python3 "install Python 3.10 or newer with its venv module (Debian: apt-get install python3-venv)"
	local requirements=$root/.ci/requirements.txt dir
	dir=$cache/venv-$(sum "$requirements")
	if [ ! -e "$dir/complete" ]; then
		say "making $dir"
		rm -rf "$dir"
		mkdir -p "$cache"
		# Each with its own die: errexit does not reach into $(venv).
		python3 -m venv "$dir" >&2 ||
			die "python3 -m venv failed" "install Python's venv module (Debian: apt-get install python3-venv)"
		# No dependency that requirements.txt does not pin.
		"$dir/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps -r "$requirements" >&2 ||
			die "pip install -r $requirements failed"
		"$dir/bin/python" -m pip --disable-pip-version-check check >&2 ||
			die "$requirements lacks what its packages need"
		touch "$dir/complete"
	fi
	printf '%s\n' "$dir/bin/python"
}

# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# What Debian packages ./quickstart and ./test need, and how they are installed. Sourced by both.

# shellcheck disable=SC2034 # read by the scripts that source this file
BUILD_PACKAGES=(
	gcc libc6-dev linux-libc-dev meson ninja-build pkg-config python3 python3-zxcvbn
	libbsd-dev libcrypt-dev libidn2-dev libjansson-dev libmicrohttpd-dev liboath-dev
	libqrencode-dev libseccomp-dev libsodium-dev libsqlite3-dev libssl-dev libsystemd-dev zlib1g-dev
)
# shellcheck disable=SC2034
DEMO_PACKAGES=(dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd openssl util-linux)

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# as_root CMD...: runs it as root, through sudo if need be.
as_root() {
	if is_root; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		printf 'This needs root or sudo: %s\n' "$*" >&2
		return 1
	fi
}

# install_packages PACKAGE...: those that are missing; says what it does; safe to repeat.
install_packages() {
	local package log missing=()
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
	done
	if [ ${#missing[@]} -eq 0 ]; then
		printf '== all %d packages are installed\n' $#
		return 0
	fi
	printf '== installing %d Debian packages: %s\n' ${#missing[@]} "${missing[*]}"
	log=$(mktemp)
	as_root apt-get update -qq
	# Services of these packages are not to start: Gatepost runs private ones.
	if ! as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" 2>&1 |
		tee "$log" | show_steps; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# Progress of apt-get: one line that counts on a terminal, a line each 50 steps elsewhere.
show_steps() {
	local tty=0
	[ ! -t 1 ] || tty=1
	awk -v tty=$tty '
		/^(Get:|Unpacking|Setting up)/ {
			n++
			if (tty) printf "\r   %d steps", n
			else if (n % 50 == 0) printf "   %d steps\n", n
			fflush()
		}
		END { if (tty) print ""; else printf "   %d steps, done\n", n }'
}

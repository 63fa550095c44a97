#!/bin/sh
# Makes images under the names of official ones, for machines that can pull none:
#
#   sh config/docker/standins/make.sh debian:bookworm-slim rust:1-slim-bookworm redis:7-alpine rabbitmq:4-management \
#       postgres:17
#
# What is in them comes from Debian's packages (Rust from this machine's toolchain), and serves what docker-compose.yml and
# config/docker/Dockerfile ask of them, no more. They are labelled skstore.stands-in=yes; an image that is there is left as it
# is. Needs root, an engine, a Debian or its like with apt and debootstrap (which is installed where it is missing), and for
# the image of Rust cargo's and rustc's own directory.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
# What is mounted there is not ours to empty.
trap 'rm -rf --one-file-system "$scratch"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

is_there() { docker image inspect "$1" >/dev/null 2>&1; }

# Whatever mirror of Debian this machine has its own packages from.
debian_mirror() {
    found=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 2>/dev/null | sort -u | grep -v security | head -n 1)
    echo "${found:-http://deb.debian.org/debian}"
}

# A Debian of that release with the least that there is, without what nobody reads in a container.
debian() {
    [ "$(id -u)" = 0 ] || fail "debootstrap needs root: run this as root"
    if ! command -v debootstrap >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends debootstrap >/dev/null
    fi
    debootstrap --variant=minbase "$1" "$scratch/$1" "$(debian_mirror)" >"$scratch/log" || fail "$(tail -n 5 "$scratch/log")"
    # As in the official one: installing a server must not start it.
    printf '#!/bin/sh\nexit 101\n' >"$scratch/$1/usr/sbin/policy-rc.d"
    chmod 755 "$scratch/$1/usr/sbin/policy-rc.d"
    rm -rf "$scratch/$1"/var/cache/apt/* "$scratch/$1"/var/lib/apt/lists/* "$scratch/$1"/usr/share/doc/*
    tar --create --numeric-owner --directory "$scratch/$1" --exclude './dev/*' . |
        docker import --change 'CMD ["bash"]' --change 'LABEL skstore.stands-in=yes' - "debian:$1-slim"
    rm -rf "${scratch:?}/$1"
}

# Of a Dockerfile in the directory $2, upon the image $3.
built() {
    make "$3"
    docker build --quiet --label skstore.stands-in=yes --tag "$1" "$here/$2"
}

# The toolchain is too large to be copied first: Dockerfile, compiler and certificates go to the engine in one stream. The
# certificates are what this machine trusts, so that cargo reaches its registry from there as it does from here.
rust() {
    make debian:bookworm-slim
    command -v rustc >/dev/null || fail "the stand-in for $1 is made of this machine's Rust, and there is none"
    tar --create --dereference --owner=0 --group=0 --exclude '*/rustlib/src' \
        --directory "$here/rust" Dockerfile \
        --directory "$(rustc --print sysroot)" bin lib \
        --directory /etc/ssl/certs ca-certificates.crt |
        docker build --quiet --label skstore.stands-in=yes --tag "$1" -
}

make() {
    if is_there "$1"; then return; fi
    echo "making $1"
    case $1 in
    debian:bookworm-slim) debian bookworm ;;
    debian:trixie-slim) debian trixie ;;
    rust:1-slim-bookworm) rust "$1" ;;
    redis:7-alpine) built "$1" redis debian:bookworm-slim ;;
    # Bookworm has 3.10, the oldest that the workers take; the compose file asks for 4.
    rabbitmq:4-management) built "$1" rabbitmq debian:trixie-slim ;;
    postgres:17) built "$1" postgres debian:trixie-slim ;;
    *) fail "there is no stand-in for $1" ;;
    esac
}

[ $# -gt 0 ] || fail "which images? The first lines of $0 say"
for image; do make "$image"; done

#!/bin/sh
# passwords.sh DIRECTORY: makes what servers and workers log in with, each in a file there, for Kubernetes and Swarm:
#
#   sh config/passwords.sh config/kubernetes/secrets
#
# What is there stays, so that a password of one's own may be put there first. The others are random. What servers read
# as settings is made of the passwords each time. Nothing is printed.
set -eu
umask 077

# 192 bits, which nobody finds by trying.
BYTES=24

fail() {
    echo "passwords.sh: $*" >&2
    exit 1
}

[ $# = 1 ] || fail "in which directory? Its first lines say"
mkdir -p "$1"
cd "$1"

for server in rabbitmq redis postgresql; do
    file=$server-password
    [ -s "$file" ] || od -An -v -N "$BYTES" -t x1 /dev/urandom | tr -d ' \n' > "$file"
    # They also stand in settings of other formats, and in URLs. Each of these quotes other characters in its own way.
    case $(cat "$file") in
    '' | *[!A-Za-z0-9]*) fail "the password in $1/$file must have letters and digits alone" ;;
    esac
done

# Read by RabbitMQ when its volume is empty.
printf 'default_user = skstore\ndefault_pass = %s\n' "$(cat rabbitmq-password)" > rabbitmq-login.conf
printf 'requirepass %s\n' "$(cat redis-password)" > redis-login.conf

# Without a line in it the gateway lets in nobody.
[ -e gateway-tokens ] ||
    echo '# NAME ROLE SHA256 in each line, as "skstore-worker gateway token NAME ROLE" prints it' > gateway-tokens

#!/bin/sh
# Holds a network namespace with a bridge that machines are plugged into, until standard input ends.
set -eu
ip link set lo up
ip link add switch type bridge
ip link set switch up
ip address add "$1" dev switch
echo ready
exec cat >/dev/null

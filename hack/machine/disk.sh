#!/bin/sh
# Holds a machine's disk, in memory, until standard input ends. Runs in a mount namespace of its own.
set -eu
disk=$1
mount -t tmpfs -o "size=$2,mode=755" tmpfs "$disk"
mkdir "$disk/upper" "$disk/work" "$disk/root"
echo ready
exec cat >/dev/null

#!/bin/sh
# The first process of a machine: runs in namespaces of its own (mounts, network, processes, names, cgroups) and lives until its
# standard input ends, which ends all the others too.
set -eu
disk=$1 name=$2 repository=$3
root=$disk/root

# Nothing that is written reaches the real machine's files.
mount -t overlay overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
# What the real machine has of the same kind is not this one's; overlays cannot stand on overlays.
for folder in var/lib/containerd var/lib/cni var/lib/kubelet var/lib/etcd var/lib/kubernetes var/log etc/kubernetes etc/cni etc/containerd opt/cni; do
  mkdir -p "$root/$folder" "$disk/own/$folder"
  mount --bind "$disk/own/$folder" "$root/$folder"
done
mkdir -p "$root$repository"
mount --bind "$repository" "$root$repository"

# Cgroups as the real machine has them, seen from this one's own.
mounts=$(cat /proc/self/mountinfo)
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
while read -r _ _ _ _ target _ rest; do
  rest=" $rest"
  settings=${rest##* - }
  kind=${settings%% *} options=${settings##* }
  case "$kind" in
    cgroup2) own= ;;
    cgroup) own=$(echo "$options" | tr , '\n' | grep -Ev '^(r[wo]|xattr|clone_children|noprefix|release_agent=.*)$' | paste -sd ,) ;;
    *) continue ;;
  esac
  case "$own" in name=*) own=none,$own ;; esac
  mkdir -p "$root$target"
  mount -t "$kind" ${own:+-o "$own"} "$kind" "$root$target"
done <<END
$mounts
END

hostname "$name"
echo "$name" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/resolv.conf"

mkdir -p "$root/run/real"
cd "$root"
pivot_root . run/real
umount -l /run/real
rmdir /run/real
mount --make-rshared /
ln -sfn /run /var/run 2>/dev/null || true
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

echo ready
# Not in its place: while the shell waits it takes leave of processes that have lost their parents.
cat >/dev/null

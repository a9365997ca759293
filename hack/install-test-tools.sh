#!/usr/bin/env bash
# Debian packages that the tests use where they are installed. Needs root; kubectl comes from elsewhere.
set -euo pipefail
packages=(openssl jq curl etcd-server etcd-client python3 python3-kubernetes ruby-kubeclient slapd ldap-utils chromium fonts-dejavu-core containerd runc containernetworking-plugins busybox-static iproute2 nftables iptables conntrack ipset ca-certificates haproxy strace faketime bind9-dnsutils)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  # Debian starts the servers that it installs; tests start their own.
  if [ -d /run/systemd/system ]; then
    for server in etcd-server:etcd slapd:slapd containerd:containerd haproxy:haproxy; do
      if [[ " ${missing[*]} " == *" ${server%:*} "* ]]; then systemctl disable --now "${server#*:}.service"; fi
    done
  fi
fi

# Debian's kubectl is an old one, and cannot be installed where another has its place.
old="$(dirname "$0")/../node_modules/.cache/debian-kubectl"
if [ ! -x "$old/usr/bin/kubectl" ] && apt-cache show kubernetes-client >/dev/null 2>&1; then
  mkdir -p "$old"
  (cd "$old" && apt-get download -qq kubernetes-client && dpkg -x kubernetes-client_*.deb . && rm kubernetes-client_*.deb)
fi

# Unpacked beside the system, from Debian's next release, where they run too: containerd 1.7, since Debian 12's does not tell events,
# and etcd 3.5 beside Debian 12's 3.4. No release of Debian has etcd 3.6.
cache="$(cd "$(dirname "$0")/.." && pwd)/node_modules/.cache"
apt=""
from_trixie() { # folder, program that must be there, packages
  local dir="$cache/$1" program="$2"
  shift 2
  if [ -x "$dir/usr/bin/$program" ] || [ ! -r /etc/apt/sources.list.d/debian.sources ]; then return; fi
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [ -z "$apt" ]; then
    apt="$(mktemp -d)"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian trixie main" >"$apt/sources.list"
    private=(-o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache")
    apt-get "${private[@]}" update -qq
  fi
  mkdir -p "$dir"
  (cd "$dir" && apt-get "${private[@]}" download -qq "$@" && for package in *.deb; do dpkg -x "$package" .; done && rm ./*.deb)
}
from_trixie containerd-1.7 containerd containerd
from_trixie etcd-3.5 etcd etcd-server etcd-client
if [ -n "$apt" ]; then rm -r "$apt"; fi

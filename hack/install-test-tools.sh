#!/usr/bin/env bash
# Debian packages that the tests use where they are installed. Needs root; kubectl comes from elsewhere.
set -euo pipefail
packages=(openssl jq curl etcd-server etcd-client python3-kubernetes ruby-kubeclient slapd ldap-utils chromium fonts-dejavu-core containerd runc containernetworking-plugins busybox-static iproute2)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  # Debian starts the servers that it installs; tests start their own.
  if [ -d /run/systemd/system ]; then
    for server in etcd-server:etcd slapd:slapd containerd:containerd; do
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

# Debian 12's containerd does not tell events; that of the next release does, and runs here unpacked beside it.
newer="$(dirname "$0")/../node_modules/.cache/containerd-1.7"
if [ ! -x "$newer/usr/bin/containerd" ] && [ -r /etc/apt/sources.list.d/debian.sources ]; then
  apt="$(mktemp -d)"
  mkdir -p "$newer" "$apt/lists/partial" "$apt/cache/archives/partial"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keyring] http://deb.debian.org/debian trixie main" >"$apt/sources.list"
  private=(-o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache")
  (cd "$newer" && apt-get "${private[@]}" update -qq && apt-get "${private[@]}" download -qq containerd && dpkg -x containerd_*.deb . && rm containerd_*.deb)
  rm -r "$apt"
fi

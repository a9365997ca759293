#!/usr/bin/env bash
# Debian packages that the tests use where they are installed. Needs root; kubectl comes from elsewhere.
set -euo pipefail
packages=(openssl jq curl etcd-server etcd-client python3-kubernetes ruby-kubeclient slapd ldap-utils chromium fonts-dejavu-core)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  # Debian starts the server that it installs; tests start their own.
  if [ -d /run/systemd/system ]; then
    for server in etcd-server:etcd slapd:slapd; do
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

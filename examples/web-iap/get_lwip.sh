#!/bin/sh
# lwIP's sources for this example, unchanged, out of Debian's source package, by apt and without root: from the mirror that apt
# has, checked by the hash below.  Where there is no apt: cmake -DLWIP=folder of lwIP 2.1.3.  Nothing of the system changes.
set -eu
folder=$1
version=2.1.3+dfsg1
hash=0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24
command -v apt-get >/dev/null || { echo "no apt here: give -DLWIP=folder of lwIP 2.1.3" >&2; exit 1; }
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/apt/parts"
folder=$(cd "$folder" && pwd)
cd "$folder"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -n 1)
[ -n "$mirror" ] || { echo "apt has no mirror of Debian here: give -DLWIP=folder of lwIP 2.1.3" >&2; exit 1; }
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >apt/sources.list
set -- -qq -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts="$folder/apt/parts" \
    -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User="$(id -un)"
apt-get "$@" update
apt-get "$@" source --download-only --only-source "lwip=$version-2" >/dev/null
echo "$hash  lwip_$version.orig.tar.xz" | sha256sum --check --quiet
mkdir -p part && tar -xf "lwip_$version.orig.tar.xz" -C part
mv part/lwip-2.1.3 .                    # whole, or not there
rm -rf apt part lwip_*
echo "$folder/lwip-2.1.3"

#!/bin/sh
# CBMC for `make proof`: Debian's package where this release has one.  Debian 12 has none: there it is unpacked out of Debian 13,
# with the libraries that it needs, from the mirror that apt has, into the folder that is named; nothing of the system
# changes.  As root, as all of apt-get.
set -eu
folder=$1
apt-get update -qq
if [ -n "$(apt-cache search --names-only '^cbmc$')" ]; then
    exec apt-get install -qq -y --no-install-recommends cbmc
fi
rm -rf "$folder"
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/root"
folder=$(cd "$folder" && pwd)
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' \
    "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" | head -n 1)
[ -n "$mirror" ] || { echo "apt has no mirror of Debian here: install cbmc by hand, and put it on PATH" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$folder/sources.list"
set -- -qq -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root
apt-get "$@" update
(cd "$folder/cache" && apt-get "$@" download cbmc minisat libc6 libstdc++6 libgcc-s1 zlib1g)
for package in "$folder"/cache/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
rm -rf "$folder/cache" "$folder/lists" "$folder/root/usr/share"
find "$folder/root/usr/bin" -type f ! -name cbmc -delete
libraries=$(dirname "$(find "$folder/root" -name 'ld-linux-*.so.*' -type f | head -n 1)")
loader=$(find "$libraries" -name 'ld-linux-*.so.*' -type f)
printf '#!/bin/sh\nexec "%s" --library-path "%s:%s" "%s" "$@"\n' \
    "$loader" "$libraries" "$folder/root/usr/lib" "$folder/root/usr/bin/cbmc" >"$folder/cbmc"
chmod +x "$folder/cbmc"
"$folder/cbmc" --version

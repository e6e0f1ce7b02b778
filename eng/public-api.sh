#!/usr/bin/env bash
# Adds what is public and not declared yet to the PublicAPI.Unshipped.txt files. Read the diff: it is the review.
set -euo pipefail
cd "$(dirname "$0")/.."
for project in Protocol Client Server; do
    file=src/SharpKeeper.$project/PublicAPI.Unshipped.txt
    { dotnet build "src/SharpKeeper.$project" --no-restore -v q -p:TreatWarningsAsErrors=false -p:WarningsAsErrors= 2>&1 || true; } |
        sed -n "s/.*RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p" >>"$file"
    { echo '#nullable enable'; grep -v '^#nullable enable$' "$file" | LC_ALL=C sort -u; } >"$file.new"
    mv "$file.new" "$file"
done

#!/bin/sh
# docs/reference.sh [folder]: writes the reference of the public headers (those that are installed) to <folder>/html. Fails
# on any warning of Doxygen.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/reference}
mkdir -p "$folder"
{
  cat docs/Doxyfile
  echo "OUTPUT_DIRECTORY = $folder"
  echo "INPUT = docs/guide $(grep -o '[a-z0-9_/]*[a-z0-9_]\.h\b' cmake/install.cmake | sed 's|^|include/tinyllm/|' | tr '\n' ' ')"
} | doxygen -

#!/bin/sh
# tests/includes.sh: fails where an include points upwards, where an include of ours names no file, and where a header
# that is installed (see cmake/install.cmake) includes one that is not, or where std::filesystem may throw.
set -eu
cd "$(dirname "$0")/.."

# Which folders a folder may include, besides itself. The longest match counts; folders without a line of their own belong
# to the one above: ops/detail to ops.
rules='
tensor/base
tensor              tensor/base
tensor/formats      tensor tensor/base
ops/kernels         tensor tensor/base
ops                 ops/kernels tensor tensor/base
model/text          tensor/base
model/formats       ops tensor tensor/formats tensor/base
model/formats/gguf  model/formats model/text ops tensor tensor/base
model               model/text model/formats model/formats/gguf ops ops/kernels tensor tensor/formats tensor/base
runtime/agent       tensor/base
runtime/http        tensor/base
runtime/documents   tensor/base
runtime/search      runtime/documents tensor/base
runtime/constraint  runtime model/text tensor/base
runtime/reason      runtime model/text tensor/base
runtime/serve       runtime/constraint runtime/http runtime/reason runtime model model/text ops ops/kernels tensor tensor/base
runtime             model model/text model/formats ops ops/kernels tensor tensor/base
train/data          model/text ops tensor/base
train/corpus        train/data runtime/documents tensor/base
train/monitor       runtime/http tensor/base
train/problems      runtime/reason model/text tensor/base
train/questions     train/corpus runtime/search runtime/documents tensor/base
train/eval          train train/data runtime/reason runtime model model/text tensor tensor/base
train               train/data train/monitor runtime model model/text ops ops/kernels tensor tensor/formats tensor/base
'
installed=$(grep -o '[a-z0-9_/]*[a-z0-9_]\.h\b' cmake/install.cmake)
for header in $installed; do
  [ -f "$header" ] || { echo "cmake/install.cmake: $header does not exist"; exit 1; }
done

# std::filesystem throws exceptions of its own; tensor/base/file.h has what throws Error. Listing the input of a corpus goes
# on after errors.
foreign=$(grep -rnE '(filesystem|fs)::(exists|equivalent|is_directory|is_regular_file|absolute|canonical|directory_iterator)\(' \
  --include='*.cc' --include='*.h' tensor ops model runtime train examples |
  grep -v -e '^tensor/base/file.cc:' -e '^train/corpus/folder.cc:' || true)
[ -z "$foreign" ] || { echo "$foreign: use tensor/base/file.h"; exit 1; }

# Files in a new working tree are not all known to git yet.
find ./*.h tensor ops model runtime train -name '*.h' -o -name '*.cc' | sed 's|^\./||' | sort |
  xargs grep -n '^ *# *include *[<"]' |
  awk -v rules="$rules" -v installed="$installed" '
    BEGIN {
      count = split(rules, lines, "\n")
      for (i = 1; i <= count; ++i) {
        fields = split(lines[i], names, " ")
        for (j = 1; j <= fields; ++j) { known[names[1]] = 1; allowed[names[1], names[j]] = 1 }
      }
      split(installed, headers, "\n")
      for (i in headers) is_installed[headers[i]] = 1
    }
    # The folder of the rules that a file belongs to. tinyllm.h and testing.h name what tensor/ and ops/ have; tinyllm_c.h
    # includes nothing of ours.
    function room(path) {
      while (sub(/\/[^\/]*$/, "", path)) if (path in known) return path
      return path ~ /\// ? path : path == "tinyllm_c.h" ? "tensor/base" : "ops"
    }
    function folder(path) { return sub(/[^\/]*$/, "", path) ? path : "" }
    function fail(message) { print where ": " message; failed = 1 }
    {
      split($0, parts, ":")
      file = parts[1]
      where = file ":" parts[2]
      target = $0
      sub(/^[^<"]*[<"]/, "", target)
      sub(/[>"].*/, "", target)
      if ($0 ~ /"/) target = folder(file) target
      else if (!sub(/^tinyllm\//, "", target)) next
      if ((getline line < target) < 0) { fail(target " does not exist"); next }
      close(target)
      from = room(file)
      to = room(target)
      if (!((from, to) in allowed)) fail(from "/ must not include " target)
      if ((file in is_installed) && !(target in is_installed)) fail("is installed and includes " target ", which is not")
    }
    END { exit failed }
  '

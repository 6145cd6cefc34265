# The C++ snippets of a page of docs/guide/, in order, as one program.
/^```cpp$/ { inside = 1; next }
/^```/ { inside = 0 }
inside && (/^#include/ || /^namespace/) { print; next }
inside { body = body $0 "\n" }
END { print "#include <memory>\n#include <span>\nint main() {\n" body "}" }

#pragma once

#include <span>
#include <string_view>

namespace tinyllm {

/// A file of the page, compiled into the program from `page/`.
struct Asset {
  std::string_view path;  ///< "/" for index.html, "/name.js" for the others.
  std::string_view type;  ///< Its Content-Type.
  std::string_view bytes;
  std::string_view etag;  ///< Changes with the bytes.
};

/// All of them: the file that CMake makes defines it.
std::span<const Asset> page_assets();

/// What a browser may load and run for the page: only what comes from this server.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Null when no asset has the path.
const Asset* asset_of(std::string_view path);

}  // namespace tinyllm

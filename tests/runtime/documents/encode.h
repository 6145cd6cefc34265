#pragma once

#include <iconv.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tinyllm::test {

/// UTF-8 text in another encoding, by the C library.
inline std::string encode(std::string_view utf8, const char* encoding) {
  const iconv_t converter = iconv_open(encoding, "UTF-8");
  std::string text(utf8);
  std::string bytes(4 * text.size() + 4, '\0');
  char* from = text.data();
  char* to = bytes.data();
  size_t left = text.size();
  size_t room = bytes.size();
  const size_t failed = iconv(converter, &from, &left, &to, &room);
  iconv_close(converter);
  if (failed == static_cast<size_t>(-1)) throw std::runtime_error("cannot be encoded");
  bytes.resize(bytes.size() - room);
  return bytes;
}

}  // namespace tinyllm::test

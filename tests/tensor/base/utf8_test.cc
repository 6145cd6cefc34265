#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm::test {

TEST_CASE("text that is not UTF-8 is named by line and byte") {
  CHECK_NOTHROW(check_utf8("plain, 中文, \xF0\x9F\x98\x80, \n", "text"));
  CHECK_NOTHROW(check_utf8("", "text"));
  CHECK_THROWS_WITH_AS(check_utf8("a\nb\xFFz", "file.txt"), "file.txt: line 2, byte 2: 0xFF is not UTF-8", Error);
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8", "\xC3"}) {
    CHECK_THROWS_AS(check_utf8(bad, "text"), Error);
  }
}

TEST_CASE("each byte that does not belong to a character becomes U+FFFD") {
  CHECK(replace_invalid_utf8("a\xE4\xB8z") == "a\uFFFD\uFFFDz");
  CHECK(replace_invalid_utf8("中") == "中");
}

}  // namespace tinyllm::test

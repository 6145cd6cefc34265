#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::test {

/// Writes the bytes of a GGUF file by hand, right or wrong.
class GgufBytes {
 public:
  template <class T>
  GgufBytes& number(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  GgufBytes& string(std::string_view text) {
    number(uint64_t{text.size()});
    text_ += text;
    return *this;
  }
  GgufBytes& header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
    text_ += "GGUF";
    return number(version).number(tensors).number(keys);
  }
  /// A key of a type; its value follows.
  GgufBytes& key(std::string_view name, uint32_t type) { return string(name).number(type); }
  /// A tensor with extents as the file has them, innermost first.
  GgufBytes& tensor(std::string_view name, const std::vector<uint64_t>& extents, uint32_t type, uint64_t offset) {
    string(name).number(static_cast<uint32_t>(extents.size()));
    for (const uint64_t extent : extents) number(extent);
    return number(type).number(offset);
  }
  GgufBytes& align(size_t to = 32) {
    text_.resize((text_.size() + to - 1) / to * to);
    return *this;
  }
  GgufBytes& zeros(size_t count) {
    text_.append(count, '\0');
    return *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

}  // namespace tinyllm::test

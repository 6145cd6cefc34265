#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace tinyllm::gguf {

/// Reads little-endian values one after another. Throws Error that begins with `what` when the bytes end too early.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, uint64_t at, std::string_view what) : bytes_(bytes), at_(at), what_(what) {}

  uint64_t at() const { return at_; }

  std::span<const std::byte> take(uint64_t size) {
    if (size > bytes_.size() - at_) {
      throw Error("{}: {} bytes expected at byte {}, but {} are left: it is cut short or damaged", what_, size, at_,
                  bytes_.size() - at_);
    }
    const std::span<const std::byte> taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }

  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  /// A string: eight bytes with its length, then the characters.
  std::string_view string() {
    const std::span<const std::byte> characters = take(number<uint64_t>());
    return {reinterpret_cast<const char*>(characters.data()), characters.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t at_;
  std::string_view what_;
};

}  // namespace tinyllm::gguf

#include <tinyllm/model/formats/gguf/metadata.h>

#include <tinyllm/model/formats/gguf/cursor.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <limits>

namespace tinyllm {
namespace {

using ValueType = GgufValueType;
using gguf::Cursor;

constexpr uint64_t kMaxKeys = 1 << 16;
constexpr uint64_t kMaxKeyBytes = 65535;  // The format's own limit.
constexpr int kMaxDepth = 8;

constexpr const char* kNames[] = {"uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                                  "bool",  "string", "array",  "uint64", "int64",  "float64"};

std::string_view name_of(ValueType type) { return kNames[static_cast<size_t>(type)]; }

ValueType type_of(uint32_t number, std::string_view what) {
  if (number > static_cast<uint32_t>(ValueType::float64))
    throw Error("{}: type {} is unknown, expected 0 to 12", what, number);
  return static_cast<ValueType>(number);
}

// The size of a value in bytes; 0 for strings and arrays, whose size is part of the value.
uint64_t size_of(ValueType type) {
  switch (type) {
    case ValueType::uint8:
    case ValueType::int8:
    case ValueType::boolean:
      return 1;
    case ValueType::uint16:
    case ValueType::int16:
      return 2;
    case ValueType::uint32:
    case ValueType::int32:
    case ValueType::float32:
      return 4;
    case ValueType::uint64:
    case ValueType::int64:
    case ValueType::float64:
      return 8;
    case ValueType::string:
    case ValueType::array:
      return 0;
  }
  return 0;
}

void skip(Cursor& cursor, ValueType type, int depth, std::string_view what) {
  if (type == ValueType::string) {
    cursor.string();
  } else if (type == ValueType::array) {
    if (depth == kMaxDepth) throw Error("{}: arrays are nested deeper than {}", what, kMaxDepth);
    const ValueType element = type_of(cursor.number<uint32_t>(), what);
    const auto count = cursor.number<uint64_t>();
    if (const uint64_t size = size_of(element)) {
      // Without this check the product could overflow and look like a small array.
      cursor.take(count > UINT64_MAX / size ? UINT64_MAX : count * size);
    } else {
      for (uint64_t i = 0; i < count; ++i) skip(cursor, element, depth + 1, what);
    }
  } else {
    cursor.take(size_of(type));
  }
}

template <class T>
T number(const std::byte* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

GgufMetadata::GgufMetadata(std::span<const std::byte> bytes, uint64_t count, uint64_t& at, std::string what)
    : what_(std::move(what)) {
  if (count > kMaxKeys) throw Error("{}: {} keys, expected at most {}", what_, count, kMaxKeys);
  Cursor cursor(bytes, at, what_);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view key = cursor.string();
    if (key.empty() || key.size() > kMaxKeyBytes) {
      throw Error("{}: key {} has {} bytes, expected 1 to {}", what_, i, key.size(), kMaxKeyBytes);
    }
    const std::string name = what_ + ": " + short_name(key);
    check_utf8(key, name);
    const ValueType type = type_of(cursor.number<uint32_t>(), name);
    const uint64_t begin = cursor.at();
    skip(cursor, type, 0, name);
    entries_.push_back({key, type, bytes.subspan(begin, cursor.at() - begin)});
  }
  at = cursor.at();
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  const auto twice = std::adjacent_find(entries_.begin(), entries_.end(),
                                        [](const Entry& a, const Entry& b) { return a.key == b.key; });
  if (twice != entries_.end()) throw Error("{}: {} is there twice", what_, short_name(twice->key));
}

bool GgufMetadata::is_array(std::string_view key) const {
  const Entry* entry = find_entry(key);
  return entry != nullptr && entry->type == ValueType::array;
}

std::vector<std::string_view> GgufMetadata::keys() const {
  std::vector<std::string_view> keys;
  for (const Entry& entry : entries_) keys.push_back(entry.key);
  return keys;
}

const GgufMetadata::Entry* GgufMetadata::find_entry(std::string_view key) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), key,
                                      [](const Entry& entry, std::string_view name) { return entry.key < name; });
  return found == entries_.end() || found->key != key ? nullptr : &*found;
}

void GgufMetadata::fail_missing(std::string_view key) const { throw Error("{}: {} is missing", what_, key); }

void GgufMetadata::fail_type(const Entry& entry, std::string_view expected) const {
  std::string found(name_of(entry.type));
  if (entry.type == ValueType::array) found += fmt::format(" of {}", kNames[number<uint32_t>(entry.value.data())]);
  throw Error("{}: {} is {}, expected {}", what_, short_name(entry.key), found, expected);
}

int64_t GgufMetadata::whole(const Entry& entry, ValueType type, const std::byte* value) const {
  switch (type) {
    case ValueType::uint8:
      return number<uint8_t>(value);
    case ValueType::int8:
      return number<int8_t>(value);
    case ValueType::uint16:
      return number<uint16_t>(value);
    case ValueType::int16:
      return number<int16_t>(value);
    case ValueType::uint32:
      return number<uint32_t>(value);
    case ValueType::int32:
      return number<int32_t>(value);
    case ValueType::int64:
      return number<int64_t>(value);
    case ValueType::uint64: {
      const auto large = number<uint64_t>(value);
      if (large <= uint64_t{INT64_MAX}) return static_cast<int64_t>(large);
      throw Error("{}: {} has {}, expected at most {}", what_, short_name(entry.key), large, INT64_MAX);
    }
    default:
      fail_type(entry, "a whole number");
  }
}

GgufMetadata::Array GgufMetadata::array(const Entry& entry, std::string_view expected) const {
  if (entry.type != ValueType::array) fail_type(entry, expected);
  constexpr size_t kHeader = sizeof(uint32_t) + sizeof(uint64_t);
  return {type_of(number<uint32_t>(entry.value.data()), what_), number<uint64_t>(entry.value.data() + sizeof(uint32_t)),
          entry.value.subspan(kHeader)};
}

template <>
std::optional<bool> GgufMetadata::find(std::string_view key) const {
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  if (entry->type != ValueType::boolean) fail_type(*entry, "a bool");
  return number<uint8_t>(entry->value.data()) != 0;
}

template <>
std::optional<int64_t> GgufMetadata::find(std::string_view key) const {
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  return whole(*entry, entry->type, entry->value.data());
}

template <>
std::optional<double> GgufMetadata::find(std::string_view key) const {
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  if (entry->type == ValueType::float32) return number<float>(entry->value.data());
  if (entry->type == ValueType::float64) return number<double>(entry->value.data());
  fail_type(*entry, "a number with a fraction");
}

template <>
std::optional<std::string_view> GgufMetadata::find(std::string_view key) const {
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  if (entry->type != ValueType::string) fail_type(*entry, "a string");
  return Cursor(entry->value, 0, what_).string();
}

template <>
std::optional<std::vector<int64_t>> GgufMetadata::find(std::string_view key) const {
  constexpr std::string_view kExpected = "an array of whole numbers";
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  const Array values = array(*entry, kExpected);
  const uint64_t size = size_of(values.type);
  if (size == 0) fail_type(*entry, kExpected);
  std::vector<int64_t> numbers(values.count);
  for (uint64_t i = 0; i < values.count; ++i) numbers[i] = whole(*entry, values.type, values.values.data() + i * size);
  return numbers;
}

template <>
std::optional<std::vector<float>> GgufMetadata::find(std::string_view key) const {
  constexpr std::string_view kExpected = "an array of float32";
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  const Array values = array(*entry, kExpected);
  if (values.type != ValueType::float32) fail_type(*entry, kExpected);
  std::vector<float> numbers(values.count);
  for (uint64_t i = 0; i < values.count; ++i) numbers[i] = number<float>(values.values.data() + i * sizeof(float));
  return numbers;
}

template <>
std::optional<std::vector<std::string_view>> GgufMetadata::find(std::string_view key) const {
  constexpr std::string_view kExpected = "an array of strings";
  const Entry* entry = find_entry(key);
  if (entry == nullptr) return {};
  const Array values = array(*entry, kExpected);
  if (values.type != ValueType::string) fail_type(*entry, kExpected);
  std::vector<std::string_view> strings;
  strings.reserve(values.count);
  Cursor cursor(values.values, 0, what_);
  for (uint64_t i = 0; i < values.count; ++i) strings.push_back(cursor.string());
  return strings;
}

}  // namespace tinyllm

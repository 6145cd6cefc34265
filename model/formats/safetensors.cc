#include <tinyllm/model/formats/safetensors.h>

#include <xxhash.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>

namespace tinyllm {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxHeader = 100'000'000;  // The limit of the reference implementation.
constexpr const char* kChecksum = "xxh3";

// Bytes of an element; 0 for a type that the format does not have.
size_t element_bytes(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

class Checksum {
 public:
  Checksum() : state_(XXH3_createState(), XXH3_freeState) { XXH3_64bits_reset(state_.get()); }
  void add(std::span<const std::byte> bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }
  std::string str() const { return fmt::format("{:016x}", XXH3_64bits_digest(state_.get())); }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

// Extents whose product does not overflow.
Shape parse_shape(const Json& json) {
  std::vector<int64_t> extents;
  int64_t product = 1;
  for (const Json& item : json) {
    if (!item.is_number_unsigned()) throw Error("its shape {} has an extent that is no whole number", json.dump());
    extents.push_back(item.get<int64_t>());
    if (extents.back() < 0 || __builtin_mul_overflow(product, extents.back(), &product)) {
      throw Error("its shape {} is too large", json.dump());
    }
  }
  return Shape{std::span<const int64_t>(extents)};
}

Safetensors::Entry parse_entry(const std::string& name, const Json& json, std::span<const std::byte> data) {
  if (!json.is_object() || !json.contains("dtype") || !json["dtype"].is_string() || !json.contains("shape") ||
      !json["shape"].is_array() || !json.contains("data_offsets") || !json["data_offsets"].is_array() ||
      json["data_offsets"].size() != 2 || !json["data_offsets"][0].is_number_unsigned() ||
      !json["data_offsets"][1].is_number_unsigned()) {
    throw Error("expected dtype, shape and two data_offsets, found {}", json.dump());
  }
  Safetensors::Entry entry{name, json["dtype"], parse_shape(json["shape"]), {}};
  const size_t element = element_bytes(entry.dtype);
  if (element == 0) throw Error("its type {} is unknown", entry.dtype);
  const uint64_t begin = json["data_offsets"][0];
  const uint64_t end = json["data_offsets"][1];
  if (begin > end || end > data.size()) {
    throw Error("its data is at [{}, {}), but the file has {} bytes of data: it is cut short or damaged", begin, end,
                data.size());
  }
  uint64_t expected = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(entry.shape.size()), element, &expected) ||
      expected != end - begin) {
    throw Error("{} {} does not fit its {} bytes", entry.dtype, entry.shape, end - begin);
  }
  entry.bytes = data.subspan(begin, end - begin);
  return entry;
}

}  // namespace

Safetensors::Safetensors(const std::filesystem::path& path) : path_(path), file_(path) {
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < kLengthBytes) {
    throw Error("{}: {} bytes, too few for a safetensors file: it is cut short", path.string(), bytes.size());
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - kLengthBytes) {
    throw Error("{}: a header of {} bytes in a file of {}: it is no safetensors file, cut short or damaged",
                path.string(), length, bytes.size());
  }
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + length);
  parse_header(file_.text().substr(kLengthBytes, length), data);
  check_layout(data.size());
  check_sum(data);
}

void Safetensors::parse_header(std::string_view text, std::span<const std::byte> data) {
  const Json header = Json::parse(text, nullptr, false);
  if (!header.is_object()) throw Error("{}: the header is not JSON: the file is damaged", path_.string());
  for (const auto& [name, json] : header.items()) {
    try {
      if (name != "__metadata__") {
        entries_.push_back(parse_entry(name, json, data));
        continue;
      }
      for (const auto& [key, value] : json.items()) {
        if (!value.is_string()) throw Error("{} is not text", key);
        metadata_[key] = value.get<std::string>();
      }
    } catch (const Error& error) {
      throw Error("{}: {}: {}", path_.string(), name, error.what());
    }
  }
}

void Safetensors::check_layout(size_t data_size) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
  });
  size_t covered = 0;
  const std::byte* next = entries_.empty() ? nullptr : file_.bytes().data() + (file_.bytes().size() - data_size);
  for (const Entry& entry : entries_) {
    if (entry.bytes.data() != next) {
      throw Error("{}: {}: its data leaves a gap or overlaps another's", path_.string(), entry.name);
    }
    next += entry.bytes.size();
    covered += entry.bytes.size();
  }
  if (covered != data_size) {
    throw Error("{}: {} bytes of data, expected {}", path_.string(), data_size, covered);
  }
}

void Safetensors::check_sum(std::span<const std::byte> data) const {
  const auto expected = metadata_.find(kChecksum);
  if (expected == metadata_.end()) return;
  Checksum sum;
  sum.add(data);
  if (sum.str() != expected->second) {
    throw Error("{}: the data's checksum is {}, expected {}: the file is damaged", path_.string(), sum.str(),
                expected->second);
  }
}

int64_t Safetensors::number(const std::string& name) const {
  const auto found = metadata_.find(name);
  const std::string text = found == metadata_.end() ? "" : found->second;
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw Error("{}: {} is '{}' in its metadata, expected a whole number", path_.string(), name, text);
  }
  return value;
}

const Safetensors::Entry& Safetensors::at(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry;
  }
  throw Error("{}: holds no tensor named {}", path_.string(), name);
}

const Safetensors::Entry& Safetensors::at(std::string_view name, std::string_view dtype, const Shape& shape) const {
  const Entry& entry = at(name);
  if (entry.shape != shape) throw Error("{}: {} is {}, expected {}", path_.string(), name, entry.shape, shape);
  check_type(entry, dtype);
  return entry;
}

void Safetensors::check_type(const Entry& entry, std::string_view dtype) const {
  if (entry.dtype != dtype) {
    throw Error("{}: {} is {}, expected {}", path_.string(), entry.name, entry.dtype, dtype);
  }
}

void Safetensors::copy(const Entry& entry, std::span<std::byte> target, std::string_view dtype) const {
  check_type(entry, dtype);
  if (!target.empty()) std::memcpy(target.data(), entry.bytes.data(), target.size());
}

void Safetensors::read(std::string_view name, const Shape& shape, std::span<float> target) const {
  copy(at(name, "F32", shape), std::as_writable_bytes(target), "F32");
}

void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      std::map<std::string, std::string> metadata) {
  std::vector<Safetensors::Entry> entries;
  for (const NamedTensor& tensor : tensors) {
    const std::span bytes(static_cast<const std::byte*>(tensor.data), bytes_of(tensor.dtype, tensor.shape));
    entries.push_back({tensor.name, tensor.dtype == f32 ? "F32" : "I32", tensor.shape, bytes});
  }
  save_safetensors(path, entries, std::move(metadata));
}

void save_safetensors(const std::filesystem::path& path, const std::vector<Safetensors::Entry>& entries,
                      std::map<std::string, std::string> metadata) {
  Checksum sum;
  for (const Safetensors::Entry& entry : entries) sum.add(entry.bytes);
  metadata[kChecksum] = sum.str();

  OrderedJson header;
  header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const Safetensors::Entry& entry : entries) {
    if (header.contains(entry.name)) throw Error("{}: two tensors are named {}", path.string(), entry.name);
    const size_t end = offset + entry.bytes.size();
    header[entry.name] = {{"dtype", entry.dtype},
                          {"shape", std::vector<int64_t>(entry.shape.begin(), entry.shape.end())},
                          {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // Data begins at a multiple of 8 bytes.
  const uint64_t length = text.size();
  write_file(path, [&](const Append& append) {
    append(std::as_bytes(std::span(&length, 1)));
    append(std::as_bytes(std::span(text)));
    for (const Safetensors::Entry& entry : entries) append(entry.bytes);
  });
}

}  // namespace tinyllm

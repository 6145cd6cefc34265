#include <tinyllm/tensor/formats/safetensors.h>

#include <tinyllm/tensor/base/json.h>

#define XXH_INLINE_ALL  // The header alone: no library to link for tensors.
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>
#include <unordered_set>

namespace tinyllm {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxHeader = 100'000'000;  // The limit of the reference implementation.
constexpr const char* kChecksum = "xxh3";

// The size of an element in bytes; 0 for a type that the format does not have.
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

Shape parse_shape(const Json& json) {
  std::vector<int64_t> extents;
  if (json.size() > Shape::kMaxRank)
    throw Error("its shape has {} axes, expected at most {}", json.size(), Shape::kMaxRank);
  for (const Json& item : json) read_value(item, "shape", extents.emplace_back());
  return Shape{std::span<const int64_t>(extents)};
}

// Reads an entry of the header. Its data must be within the first `data_size` bytes.
Safetensors::Entry parse_entry(const std::string& name, const Json& json, uint64_t data_size) {
  if (!json.is_object()) throw Error("is {}, expected an object", type_of(json));
  const Json& shape = need_field(json, "shape");
  const Json& offsets = need_field(json, "data_offsets");
  if (!shape.is_array()) throw Error("field shape: is {}, expected a list", type_of(shape));
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    throw Error("field data_offsets: is {}, expected two whole numbers", shown(offsets));
  }
  Safetensors::Entry entry{name, "", parse_shape(shape), 0, 0};
  read_field(json, "dtype", entry.dtype);
  const size_t element = element_bytes(entry.dtype);
  if (element == 0) throw Error("its type {} is unknown", short_name(entry.dtype));
  const uint64_t begin = offsets[0], end = offsets[1];
  if (begin > end || end > data_size) {
    throw Error("its data is at [{}, {}), but the file has {} bytes of data: it is cut short or damaged", begin, end,
                data_size);
  }
  if (checked_mul(static_cast<uint64_t>(entry.shape.size()), uint64_t{element}) != end - begin) {
    throw Error("{} {} does not fit its {} bytes", entry.dtype, entry.shape, end - begin);
  }
  entry.begin = begin;
  entry.size = end - begin;
  return entry;
}

bool is_before(const Safetensors::Entry* entry, std::string_view name) { return entry->name < name; }

}  // namespace

const char* safetensors_name(DType dtype) {
  constexpr const char* kNames[] = {"F32", "I32", "F16", "BF16"};
  return kNames[static_cast<size_t>(dtype)];
}

std::optional<DType> Safetensors::Entry::element_type() const {
  for (const DType each : all_of<DType>()) {
    if (dtype == safetensors_name(each)) return each;
  }
  return std::nullopt;
}

Safetensors::Safetensors(const std::filesystem::path& path) : file_(path) {
  if (file_.size() < kLengthBytes) {
    throw Error("{}: {} bytes, too few for a safetensors file: it is cut short", path.string(), file_.size());
  }
  uint64_t length = 0;
  file_.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > kMaxHeader || length > file_.size() - kLengthBytes) {
    throw Error("{}: a header of {} bytes in a file of {}: it is not a safetensors file, cut short or damaged",
                path.string(), length, file_.size());
  }
  std::string header(length, '\0');
  file_.read(kLengthBytes, std::as_writable_bytes(std::span(header)));
  data_begin_ = kLengthBytes + length;
  data_size_ = file_.size() - data_begin_;
  parse_header(header);
  check_layout();
  check_sum();
}

void Safetensors::parse_header(std::string_view text) {
  const std::string what = path().string() + ": header";
  const Json header = parse_json(text, what);
  if (!header.is_object()) throw Error("{}: is {}, expected an object", what, type_of(header));
  for (const auto& [name, json] : header.items()) {
    try {
      if (name != "__metadata__") {
        entries_.push_back(parse_entry(name, json, data_size_));
        continue;
      }
      if (!json.is_object()) throw Error("is {}, expected an object", type_of(json));
      for (const auto& [key, value] : json.items()) read_value(value, short_name(key), metadata_[key]);
    } catch (const Error& error) {
      throw Error("{}: {}: {}", path().string(), short_name(name), error.what());
    }
  }
}

void Safetensors::check_layout() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.size) < std::pair(b.begin, b.size); });
  uint64_t covered = 0;
  for (const Entry& entry : entries_) {
    if (entry.begin != covered) {
      throw Error("{}: {}: its data leaves a gap or overlaps another's", path().string(), short_name(entry.name));
    }
    covered += entry.size;
    by_name_.push_back(&entry);
  }
  if (covered != data_size_) throw Error("{}: {} bytes of data, expected {}", path().string(), data_size_, covered);
  std::sort(by_name_.begin(), by_name_.end(), [](const Entry* a, const Entry* b) { return a->name < b->name; });
}

void Safetensors::check_sum() const {
  constexpr uint64_t kAtOnce = uint64_t{1} << 20;
  const auto expected = metadata_.find(kChecksum);
  if (expected == metadata_.end()) return;
  Checksum sum;
  std::vector<std::byte> buffer(std::min(kAtOnce, data_size_));
  for (uint64_t at = 0; at < data_size_; at += kAtOnce) {
    const std::span<std::byte> bytes = std::span(buffer).first(std::min(kAtOnce, data_size_ - at));
    file_.read(data_begin_ + at, bytes);
    sum.add(bytes);
  }
  if (sum.str() != expected->second) {
    throw Error("{}: the data's checksum is {}, expected {}: the file is damaged", path().string(), sum.str(),
                short_name(expected->second));
  }
}

int64_t Safetensors::number(const std::string& name, int64_t most) const {
  const auto found = metadata_.find(name);
  if (found == metadata_.end()) throw Error("{}: {} is missing in its metadata", path().string(), name);
  const std::string& text = found->second;
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) {
    throw Error("{}: {} is {} in its metadata, expected a whole number from 0 to {}", path().string(), name,
                shortened(text), most);
  }
  return value;
}

const Safetensors::Entry* Safetensors::find(std::string_view name) const {
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name, is_before);
  return found == by_name_.end() || (*found)->name != name ? nullptr : *found;
}

const Safetensors::Entry& Safetensors::at(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) throw Error("{}: tensor {} is missing", path().string(), name);
  return *entry;
}

const Safetensors::Entry& Safetensors::at(std::string_view name, std::string_view dtype, const Shape& shape) const {
  const Entry& entry = at(name);
  if (entry.shape != shape) throw Error("{}: {} is {}, expected {}", path().string(), name, entry.shape, shape);
  check_type(entry, dtype);
  return entry;
}

void Safetensors::check_type(const Entry& entry, std::string_view dtype) const {
  if (entry.dtype != dtype) {
    throw Error("{}: {} is {}, expected {}", path().string(), short_name(entry.name), entry.dtype, dtype);
  }
}

void Safetensors::read(const Entry& entry, std::span<std::byte> target) const {
  if (target.size() != entry.size) {
    throw Error("{}: {} has {} bytes, expected {}", path().string(), short_name(entry.name), entry.size, target.size());
  }
  file_.read(data_begin_ + entry.begin, target);
}

void Safetensors::read(const Entry& entry, uint64_t first, std::span<std::byte> target) const {
  if (first > entry.size || target.size() > entry.size - first) {
    throw Error("{}: {} has {} bytes, expected at least {} after byte {}", path().string(), short_name(entry.name),
                entry.size, target.size(), first);
  }
  file_.read(data_begin_ + entry.begin + first, target);
}

void Safetensors::read(std::string_view name, const Shape& shape, std::span<float> target) const {
  read(at(name, "F32", shape), std::as_writable_bytes(target));
}

void save_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                      std::map<std::string, std::string> metadata) {
  std::vector<RawTensor> raw;
  for (const NamedTensor& tensor : tensors) {
    const std::span bytes(static_cast<const std::byte*>(tensor.data), bytes_of(tensor.dtype, tensor.shape));
    raw.push_back({tensor.name, safetensors_name(tensor.dtype), tensor.shape, bytes});
  }
  save_safetensors(path, raw, std::move(metadata));
}

void save_safetensors(const std::filesystem::path& path, const std::vector<RawTensor>& tensors,
                      std::map<std::string, std::string> metadata) {
  std::vector<MadeTensor> made;
  for (const RawTensor& tensor : tensors) {
    made.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes.size(),
                    [bytes = tensor.bytes](const Append& append) { append(bytes); }});
  }
  save_safetensors(path, made, std::move(metadata));
}

void save_safetensors(const std::filesystem::path& path, const std::vector<MadeTensor>& tensors,
                      std::map<std::string, std::string> metadata) {
  Checksum sum;
  for (const MadeTensor& tensor : tensors) {
    tensor.write([&](std::span<const std::byte> bytes) { sum.add(bytes); });
  }
  metadata[kChecksum] = sum.str();

  OrderedJson header = {{"__metadata__", metadata}};
  std::unordered_set<std::string_view> names;
  size_t offset = 0;
  for (const MadeTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second) throw Error("{}: two tensors are named {}", path.string(), tensor.name);
    const size_t end = offset + tensor.size;
    OrderedJson entry = {{"dtype", tensor.dtype},
                         {"shape", std::vector<int64_t>(tensor.shape.begin(), tensor.shape.end())},
                         {"data_offsets", {offset, end}}};
    // Appends directly: operator[] would search all names for an equal one.
    header.get_ref<OrderedJson::object_t&>().emplace_back(tensor.name, std::move(entry));
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const OrderedJson::exception&) {
    throw Error("{}: a name or the metadata is not UTF-8", path.string());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // Data begins at a multiple of 8 bytes.
  const uint64_t length = text.size();
  write_file(path, [&](const Append& append) {
    append(std::as_bytes(std::span(&length, 1)));
    append(std::as_bytes(std::span(text)));
    for (const MadeTensor& tensor : tensors) tensor.write(append);
  });
}

}  // namespace tinyllm

#include <tinyllm/model/formats/gguf/gguf.h>

#include <tinyllm/model/formats/gguf/cursor.h>
#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <bit>

namespace tinyllm {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF files are read as little-endian");

using gguf::Cursor;

constexpr std::string_view kMagic = "GGUF";
constexpr uint64_t kMaxTensors = 1 << 16;
constexpr uint64_t kMaxNameBytes = 64;  // The format's own limit.
constexpr uint32_t kMaxRank = 4;
constexpr int64_t kDefaultAlignment = 32;
constexpr int64_t kMinAlignment = 8;  // The format's own limit. It lets elements be read in place.
constexpr int64_t kMaxAlignment = 1 << 20;

void check_version(uint32_t version, const std::string& what) {
  if (version == 2 || version == 3) return;
  const uint32_t swapped = __builtin_bswap32(version);
  if (swapped == 2 || swapped == 3) throw Error("{}: is big-endian, expected little-endian", what);
  throw Error("{}: version {} of GGUF, expected 2 or 3", what, version);
}

Shape read_shape(Cursor& cursor) {
  const auto rank = cursor.number<uint32_t>();
  if (rank > kMaxRank) throw Error("has {} axes, expected at most {}", rank, kMaxRank);
  std::vector<int64_t> extents(rank);
  for (uint32_t i = rank; i-- > 0;) {
    const auto extent = cursor.number<uint64_t>();
    if (extent > uint64_t{Shape::kMaxElements}) throw Error("has an extent of {}: too many elements", extent);
    extents[i] = static_cast<int64_t>(extent);
  }
  return Shape{std::span<const int64_t>(extents)};
}

// Reads one entry of the index. Its position is relative to the data, whose beginning is not known yet.
Gguf::Tensor read_tensor(Cursor& cursor, std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    throw Error("its name has {} bytes, expected 1 to {}", name.size(), kMaxNameBytes);
  }
  check_utf8(name, "its name");
  const Shape shape = read_shape(cursor);
  const GgufTypeInfo& type = gguf_type(cursor.number<uint32_t>());
  return {name, &type, shape, cursor.number<uint64_t>(), bytes_of(type, shape)};
}

uint64_t alignment_of(const GgufMetadata& metadata, const std::string& what) {
  const int64_t alignment = metadata.find<int64_t>("general.alignment").value_or(kDefaultAlignment);
  if (alignment < kMinAlignment || alignment > kMaxAlignment ||
      !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    throw Error("{}: general.alignment is {}, expected a power of two from {} to {}", what, alignment, kMinAlignment,
                kMaxAlignment);
  }
  return static_cast<uint64_t>(alignment);
}

}  // namespace

Gguf::Gguf(const std::filesystem::path& path) : path_(path), file_(path) {
  const std::string what = path.string();
  const std::span<const std::byte> bytes = file_.bytes();
  if (!file_.text().starts_with(kMagic)) throw Error("{}: is not a GGUF file: it does not begin with GGUF", what);
  Cursor cursor(bytes, kMagic.size(), what);
  check_version(cursor.number<uint32_t>(), what);
  const auto tensors = cursor.number<uint64_t>(), keys = cursor.number<uint64_t>();
  if (tensors > kMaxTensors) throw Error("{}: {} tensors, expected at most {}", what, tensors, kMaxTensors);
  uint64_t at = cursor.at();
  metadata_ = GgufMetadata(bytes, keys, at, what);
  read_tensors(tensors, at);
  check_layout();
}

void Gguf::read_tensors(uint64_t count, uint64_t at) {
  const std::string what = path_.string();
  const std::span<const std::byte> bytes = file_.bytes();
  const uint64_t alignment = alignment_of(metadata_, what);
  Cursor cursor(bytes, at, what);
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view name = cursor.string();
    try {
      tensors_.push_back(read_tensor(cursor, name));
    } catch (const Error& error) {
      throw Error("{}: tensor {}: {}", what, short_name(name), error.what());
    }
  }
  const uint64_t data = (cursor.at() + alignment - 1) / alignment * alignment;
  for (Tensor& tensor : tensors_) {
    if (tensor.begin % alignment != 0) {
      throw Error("{}: tensor {}: its data is at {}, expected a multiple of {}", what, short_name(tensor.name),
                  tensor.begin, alignment);
    }
    // Neither sum can overflow, since the position is below the file's size and a tensor has at most 2^58 bytes.
    if (tensor.begin > bytes.size() || data + tensor.begin + tensor.size > bytes.size()) {
      throw Error(
          "{}: tensor {}: {} bytes at {}, but the file has {} after its header of {}: it is cut short or damaged", what,
          short_name(tensor.name), tensor.size, tensor.begin, bytes.size() - std::min<uint64_t>(data, bytes.size()),
          data);
    }
    tensor.begin += data;
  }
}

void Gguf::check_layout() {
  const std::string what = path_.string();
  std::sort(tensors_.begin(), tensors_.end(),
            [](const Tensor& a, const Tensor& b) { return std::pair(a.begin, a.size) < std::pair(b.begin, b.size); });
  uint64_t covered = 0;
  for (const Tensor& tensor : tensors_) {
    if (tensor.begin < covered) throw Error("{}: tensor {} overlaps another", what, short_name(tensor.name));
    covered = tensor.begin + tensor.size;
    by_name_.push_back(&tensor);
  }
  std::sort(by_name_.begin(), by_name_.end(), [](const Tensor* a, const Tensor* b) { return a->name < b->name; });
  const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(),
                                        [](const Tensor* a, const Tensor* b) { return a->name == b->name; });
  if (twice != by_name_.end()) throw Error("{}: two tensors are named {}", what, short_name((*twice)->name));
}

const Gguf::Tensor* Gguf::find(std::string_view name) const {
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                      [](const Tensor* tensor, std::string_view key) { return tensor->name < key; });
  return found == by_name_.end() || (*found)->name != name ? nullptr : *found;
}

const Gguf::Tensor& Gguf::at(std::string_view name) const {
  const Tensor* tensor = find(name);
  if (tensor == nullptr) throw Error("{}: no tensor is named {}", path_.string(), name);
  return *tensor;
}

const Gguf::Tensor& Gguf::at(std::string_view name, const Shape& shape) const {
  const Tensor& tensor = at(name);
  if (tensor.shape != shape) throw Error("{}: {} is {}, expected {}", path_.string(), name, tensor.shape, shape);
  return tensor;
}

std::span<const std::byte> Gguf::bytes(const Tensor& tensor) const {
  return file_.bytes().subspan(tensor.begin, tensor.size);
}

void Gguf::read(const Tensor& tensor, int64_t first, std::span<float> out) const {
  const GgufTypeInfo& type = *tensor.type;
  const auto count = static_cast<int64_t>(out.size());
  if (first < 0 || first > tensor.shape.size() || count > tensor.shape.size() - first || first % type.block != 0 ||
      count % type.block != 0) {
    throw Error("{}: {}: numbers [{}, {}) of {} {}, expected whole blocks of {} within it", path_.string(),
                short_name(tensor.name), first, first + count, type.name, tensor.shape, type.block);
  }
  type.dequantize(bytes(tensor).data() + static_cast<size_t>(first / type.block) * type.block_bytes, count / type.block,
                  out.data());
}

std::vector<float> Gguf::values(const Tensor& tensor) const {
  std::vector<float> values(static_cast<size_t>(tensor.shape.size()));
  read(tensor, 0, values);
  return values;
}

}  // namespace tinyllm

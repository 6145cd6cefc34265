#include <tinyllm/model/formats/weight_files.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {
namespace {

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr std::string_view kPrefix = "model.";
constexpr uint64_t kMostIndexBytes = uint64_t{1} << 26;

// A shard must be in the folder of its index: a name with a path in it could lead to any file.
void check_name(const std::string& shard) {
  const std::filesystem::path path(shard);
  if (shard.empty() || path.filename() != path || shard == "." || shard == "..") {
    throw Error("the shard {}: expected the name of a file in the same folder", shortened(shard));
  }
}

// The shard of every tensor.
std::map<std::string, std::string> weight_map(const std::filesystem::path& path) {
  const Json index = load_json_object(path, kMostIndexBytes);
  std::map<std::string, std::string> shards;
  try {
    const Json& names = need_field(index, "weight_map");
    if (!names.is_object()) throw Error("weight_map: is {}, expected an object", type_of(names));
    for (const auto& [name, shard] : names.items()) {
      read_value(shard, short_name(name), shards[name]);
      check_name(shards[name]);
    }
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
  return shards;
}

template <class T>
void read_narrow(const WeightFiles::Tensor& tensor, int64_t first, std::span<float> out) {
  std::vector<T> values(out.size());
  tensor.file->read(*tensor.entry, static_cast<uint64_t>(first) * sizeof(T), std::as_writable_bytes(std::span(values)));
  convert(std::span<const T>(values), out);
}

}  // namespace

WeightFiles::WeightFiles(const std::filesystem::path& folder) : folder_(folder) {
  if (is_there(folder / kSingleFile)) {  // As in transformers, this file takes precedence over an index.
    add_all(files_.emplace_back(folder / kSingleFile));
  } else if (is_there(folder / kIndexFile)) {
    read_index(folder / kIndexFile);
  } else {
    throw Error("{}: neither {} nor {} is there", folder.string(), kSingleFile, kIndexFile);
  }
}

void WeightFiles::Tensor::read(int64_t first, std::span<float> out) const {
  const std::optional<DType> type = entry->element_type();
  if (type == f16) return read_narrow<Half>(*this, first, out);
  if (type == bf16) return read_narrow<BFloat16>(*this, first, out);
  file->read(*entry, static_cast<uint64_t>(first) * sizeof(float), std::as_writable_bytes(out));
}

const WeightFiles::Tensor& WeightFiles::at(const std::string& name, const Shape& shape) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end() && name.starts_with(kPrefix)) found = tensors_.find(name.substr(kPrefix.size()));
  if (found == tensors_.end()) throw Error("{}: tensor {} is missing", folder_.string(), name);
  const Safetensors::Entry& entry = *found->second.entry;
  const std::optional<DType> type = entry.element_type();
  if (!type || *type == i32) {
    throw Error("{}: {} is of type {}, expected F32, F16 or BF16", found->second.file->path().string(), name,
                entry.dtype);
  }
  if (entry.shape != shape) {
    throw Error("{}: {} is {}, expected {} by the sizes in config.json", found->second.file->path().string(), name,
                entry.shape, shape);
  }
  return found->second;
}

void WeightFiles::add_all(const Safetensors& file) {
  for (const Safetensors::Entry& entry : file.entries()) tensors_.emplace(entry.name, Tensor{&file, &entry});
}

void WeightFiles::read_index(const std::filesystem::path& path) {
  std::map<std::string, const Safetensors*> shards;
  for (const auto& [name, shard] : weight_map(path)) {
    const auto [at, is_new] = shards.emplace(shard, nullptr);
    if (is_new) {
      if (!is_there(folder_ / shard)) throw Error("{}: the shard {} is missing", path.string(), shard);
      at->second = &files_.emplace_back(folder_ / shard);
    }
    const Safetensors::Entry* entry = at->second->find(name);
    if (entry == nullptr) throw Error("{}: {} is not in {}", path.string(), short_name(name), shard);
    tensors_.emplace(name, Tensor{at->second, entry});
  }
}

}  // namespace tinyllm

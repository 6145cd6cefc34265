#include <tinyllm/model/text/model_files.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>

namespace tinyllm {

bool ModelFiles::has(const std::string& name) const {
  return in_memory_ ? files_.contains(name) : is_there(where_ / name);
}

std::string ModelFiles::read(const std::string& name, uint64_t most) const {
  if (!in_memory_) return read_file(where_ / name, most);
  const auto found = files_.find(name);
  if (found == files_.end()) throw Error("{}: is missing", path(name));
  if (found->second.size() > most) {
    throw Error("{}: has {} bytes, expected at most {}", path(name), found->second.size(), most);
  }
  return found->second;
}

}  // namespace tinyllm

#include <tinyllm/train/checkpoints.h>

#include <tinyllm/tensor/base/file.h>

#include <algorithm>
#include <charconv>

namespace tinyllm {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".safetensors";

std::optional<int64_t> number_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::vector<int64_t> Checkpoints::numbers() const {
  std::vector<int64_t> all;
  for (const std::string& name : names_in(folder_)) {
    if (const auto number = number_of(name)) all.push_back(*number);
  }
  std::sort(all.rbegin(), all.rend());
  return all;
}

std::filesystem::path Checkpoints::path(int64_t number) const {
  return folder_ / fmt::format("{}{:08}{}", kPrefix, number, kSuffix);
}

bool Checkpoints::is_whole(int64_t number) const {
  try {
    Safetensors{path(number)};
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::optional<Checkpoints::Found> Checkpoints::newest(const std::function<void(const std::string&)>& on_damaged) const {
  for (const int64_t number : numbers()) {
    try {
      return Found{number, std::make_unique<Safetensors>(path(number))};
    } catch (const Error& error) {
      if (on_damaged) on_damaged(error.what());
    }
  }
  return std::nullopt;
}

void Checkpoints::add(int64_t number, const std::function<void(const std::filesystem::path&)>& write) {
  write(path(number));
  int64_t whole = 1;  // The new one.
  for (const int64_t other : numbers()) {
    if (other == number) continue;
    if (whole >= keep_) {
      remove_file(path(other));
    } else if (is_whole(other)) {
      ++whole;
    }
  }
}

void Checkpoints::remove_all() {
  for (const int64_t number : numbers()) remove_file(path(number));
}

void Checkpoints::remove_parts() {
  for (const std::string& name : names_in(folder_)) {
    const std::filesystem::path part = folder_ / name;
    std::filesystem::path whole = part;
    whole.replace_extension();
    if (part_of(whole) == part && number_of(whole.filename().string())) remove_file(part);
  }
}

}  // namespace tinyllm

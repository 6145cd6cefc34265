#include <tinyllm/train/checkpoints.h>

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
  std::error_code none;  // A folder that is not there has no checkpoints.
  for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
    if (const auto number = number_of(entry.path().filename().string())) all.push_back(*number);
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
      std::filesystem::remove(path(other));
    } else if (is_whole(other)) {
      ++whole;
    }
  }
}

void Checkpoints::remove_all() {
  for (const int64_t number : numbers()) std::filesystem::remove(path(number));
}

void Checkpoints::remove_parts() {
  std::vector<std::filesystem::path> parts;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
    std::filesystem::path whole = entry.path();
    whole.replace_extension();
    if (part_of(whole) == entry.path() && number_of(whole.filename().string())) parts.push_back(entry.path());
  }
  for (const std::filesystem::path& part : parts) std::filesystem::remove(part);
}

}  // namespace tinyllm

#include <tinyllm/train/data/seen_questions.h>

#include <tinyllm/tensor/base/file.h>

#include <xxhash.h>

#include <cstring>
#include <string>

namespace tinyllm {
namespace {

constexpr std::string_view kMagic = "TLSEENQ1";

uint64_t hash_of(std::string_view question) {
  constexpr std::string_view kWideBlank = "　";
  std::string text;
  for (size_t at = 0; at < question.size();) {
    if (question.substr(at).starts_with(kWideBlank)) {
      at += kWideBlank.size();
      continue;
    }
    const char c = question[at++];
    if (c != ' ' && (c < '\t' || c > '\r')) text += c;
  }
  return XXH3_64bits(text.data(), text.size());
}

void append(std::string& bytes, uint64_t number) {
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
}

uint64_t number_at(std::string_view bytes, size_t at) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return number;
}

}  // namespace

SeenQuestions SeenQuestions::of_model(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kFile;
  if (!is_folder(folder) || !is_there(path)) return {};
  constexpr uint64_t kMost = uint64_t{1} << 30;
  return parse(read_file(path, kMost), path.string());
}

SeenQuestions SeenQuestions::parse(std::string_view bytes, std::string_view what) {
  const size_t header = kMagic.size() + 8;
  if (bytes.size() < header || !bytes.starts_with(kMagic)) throw Error("{}: is not a file of seen questions", what);
  const uint64_t count = number_at(bytes, kMagic.size());
  if (count != (bytes.size() - header) / 8 || (bytes.size() - header) % 8 != 0) {
    throw Error("{}: has {} bytes, expected {} hashes after {} bytes", what, bytes.size(), count, header);
  }
  SeenQuestions seen;
  for (size_t at = header; at < bytes.size(); at += 8) {
    const uint64_t hash = number_at(bytes, at);
    if (!seen.hashes_.empty() && *seen.hashes_.rbegin() >= hash) throw Error("{}: the hashes are not in order", what);
    seen.hashes_.insert(seen.hashes_.end(), hash);
  }
  return seen;
}

void SeenQuestions::add(std::string_view question) { hashes_.insert(hash_of(question)); }
bool SeenQuestions::has(std::string_view question) const { return hashes_.contains(hash_of(question)); }

void SeenQuestions::save(const std::filesystem::path& folder) const {
  const std::filesystem::path path = folder / kFile;
  if (hashes_.empty()) {
    remove_file(path);
    return;
  }
  std::string bytes(kMagic);
  append(bytes, hashes_.size());
  for (const uint64_t hash : hashes_) append(bytes, hash);
  write_file(path, bytes);
}

}  // namespace tinyllm

#include <tinyllm/runtime/search/read_files.h>

#include <tinyllm/runtime/documents/chunks.h>
#include <tinyllm/runtime/documents/document_writer.h>
#include <tinyllm/runtime/documents/text_reader.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tinyllm::search {
namespace {

constexpr std::array kExtensions = {".txt",   ".text", ".md",   ".markdown", ".htm", ".html",
                                    ".xhtml", ".pdf",  ".docx", ".doc",      ".rtf", ".jsonl"};
constexpr int kMostFolders = 64;  // Within each other.
constexpr uint64_t kMostBytes = uint64_t{256} << 20;
constexpr uint64_t kMostText = uint64_t{64} << 20;

std::string extension_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return extension;
}

void list(const std::filesystem::path& root, const std::string& folder, int depth, Listing& listing) {
  if (depth > kMostFolders) throw Error("is more than {} folders deep", kMostFolders);
  for (const std::string& name : names_in(root / folder)) {
    if (name.starts_with('.')) continue;
    const std::string path = folder + name;
    struct stat status {};
    if (lstat((root / path).c_str(), &status) != 0) {
      if (errno != ENOENT) listing.notes.push_back({path, std::strerror(errno), true});  // Else it is gone since.
    } else if (S_ISDIR(status.st_mode)) {
      try {
        list(root, path + '/', depth + 1, listing);
      } catch (const Error& error) {
        listing.notes.push_back({path, error.what(), true});
        listing.unread.push_back(path + '/');
      }
    } else if (S_ISREG(status.st_mode) &&
               std::find(kExtensions.begin(), kExtensions.end(), extension_of(name)) != kExtensions.end()) {
      listing.files.push_back({path, status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec});
    } else {
      ++listing.others;
    }
  }
}

std::string joined(const std::vector<std::string>& headings) {
  std::string text;
  for (const std::string& heading : headings) text += (text.empty() ? "" : " › ") + heading;
  return text;
}

NewDocument cut(Document document, std::string name, int64_t characters) {
  constexpr size_t kLongestTitle = 900;  // Bytes. It counts in each chunk.
  document.title.resize(character_cut(document.title, kLongestTitle));
  NewDocument out{std::move(name), std::move(document.title), {}, {}, {}};
  for (const Place& place : document.places) {
    const int last = out.pages.empty() ? 0 : out.pages.back().page;
    if (place.page != last) out.pages.push_back({static_cast<int64_t>(place.offset), place.page});
  }
  for (const Chunk& chunk : chunks_of(document, {.characters = characters})) {
    NewChunk& made = out.chunks.emplace_back();
    made.record = {0, static_cast<int64_t>(chunk.offset), static_cast<int64_t>(chunk.length), joined(chunk.headings)};
  }
  out.text = std::move(document.text);
  return out;
}

// Counts the grams, unless they would take much memory: then the writer does, one chunk at a time.
void count_if_short(std::vector<NewDocument>& documents) {
  constexpr size_t kMostCounted = 4 << 20;  // Bytes of text.
  size_t size = 0;
  for (const NewDocument& document : documents) size += document.text.size();
  if (size > kMostCounted) return;
  for (NewDocument& document : documents) {
    for (NewChunk& chunk : document.chunks) count_grams(document, chunk);
  }
}

std::vector<NewDocument> read_json_lines(const std::filesystem::path& path, int64_t characters) {
  const std::string lines = read_file(path, kMostBytes);
  std::vector<NewDocument> documents;
  uint64_t size = 0;
  int64_t number = 0;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = std::string_view(lines).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (is_blank(line)) continue;
    const std::string what = fmt::format("{}: line {}", path.string(), number);
    try {
      const Json object = parse_json_object(line, what);
      Document document;
      const std::string words = text(object, "text");
      if ((size += words.size()) > kMostText) throw Error("the texts have more than {} MB", kMostText >> 20);
      documents::DocumentWriter writer(document, kMostText);
      documents::read_lines(words, -1, {}, {}, writer);
      writer.end();
      document.title = text_or_none(object, "title");
      documents.push_back(cut(std::move(document), text_or_none(object, "id"), characters));
    } catch (const Error& error) {
      const std::string_view said = error.what();
      throw Error("{}", said.starts_with(what) ? std::string(said) : fmt::format("{}: {}", what, said));
    }
  }
  return documents;
}

}  // namespace

Listing list_documents(const std::filesystem::path& folder) {
  if (!is_folder(folder)) throw Error("{}: is not a folder, expected one with documents", folder.string());
  Listing listing;
  list(folder, "", 0, listing);
  return listing;
}

std::string hash_of_file(const std::filesystem::path& path) {
  std::error_code failure;
  const uint64_t size = file_size(path, failure);
  if (!failure && size > kMostBytes) throw Error("has {} MB, expected at most {}", size >> 20, kMostBytes >> 20);
  std::string bytes;
  try {
    bytes = read_file(path, kMostBytes);
  } catch (const Error& error) {
    throw TemporaryError("{}", error.what());
  }
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest) + extension_of(path);
}

std::vector<NewDocument> read_documents(const std::filesystem::path& path, int64_t characters,
                                        std::vector<std::string>& notes) {
  std::vector<NewDocument> documents;
  if (extension_of(path) == ".jsonl") {
    documents = read_json_lines(path, characters);
  } else {
    Document document = read_document(path);
    notes = document.notes;
    documents.push_back(cut(std::move(document), {}, characters));
  }
  count_if_short(documents);
  return documents;
}

}  // namespace tinyllm::search

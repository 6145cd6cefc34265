#include <tinyllm/train/corpus/folder.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/printable.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/rules.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

namespace tinyllm::corpus {

using namespace documents;
namespace {

namespace fs = std::filesystem;

// Sets format and compression by the name. False when it is not the name of a text file.
bool set_format(InputFile& file) {
  fs::path name = file.path.filename();
  std::string extension = lower_case(std::string_view(name.extension().native()));
  if (extension == ".gz" || extension == ".xz" || extension == ".zst") {
    file.compressed = true;
    name = name.stem();
    extension = lower_case(std::string_view(name.extension().native()));
  }
  if (extension == ".txt") {
    file.format = TextFormat::text;
  } else if (extension == ".md" || extension == ".markdown") {
    file.format = TextFormat::markdown;
  } else if (extension == ".html" || extension == ".htm") {
    file.format = TextFormat::html;
  } else if (extension == ".jsonl") {
    file.format = TextFormat::json_lines;
  } else {
    return false;
  }
  return true;
}

// Whether the path is the folder or something in it; both without links.
bool is_in(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

class Walk {
 public:
  Walk(const std::vector<fs::path>& inputs, const std::vector<fs::path>& outputs) {
    struct stat status {};
    for (const fs::path& output : outputs) {
      if (stat(output.c_str(), &status) == 0) outputs_.emplace(status.st_dev, status.st_ino);
    }
    std::error_code missing;
    for (const fs::path& input : inputs) {
      const fs::path root = fs::canonical(input, missing);
      if (!missing) roots_.push_back(root);
    }
  }

  void visit(const fs::path& path, bool named) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
      const int code = errno;
      if (named) throw Error("{}: cannot be read: {}", printable(path), std::strerror(code));
      return skip(path, 0, kRuleUnreadable, std::strerror(code));
    }
    if (!named && leads_outside(path)) {
      return skip(path, 0, kRuleOutside, "is a link to a place outside of the inputs");
    }
    const std::pair id(status.st_dev, status.st_ino);
    if (outputs_.contains(id)) return skip(path, status.st_size, kRuleOutput, "is an output of this program");
    if (S_ISDIR(status.st_mode)) {
      if (!seen_.insert(id).second) return skip(path, 0, kRuleReadBefore, "this folder was reached before");
      return folder(path);
    }
    InputFile file{path, printable(path), TextFormat::text, false, status.st_size};
    if (!S_ISREG(status.st_mode)) return skip(path, 0, kRuleFileType, "is neither a file nor a folder");
    if (!set_format(file)) return skip(path, status.st_size, kRuleFileType, "does not have the name of a text file");
    if (!seen_.insert(id).second) return skip(path, status.st_size, kRuleReadBefore, "this file was reached before");
    listing_.bytes += file.size;
    listing_.files.push_back(std::move(file));
  }

  FolderListing take() { return std::move(listing_); }

 private:
  // Whether a folder entry is a symbolic link to something outside of all inputs.
  bool leads_outside(const fs::path& path) const {
    std::error_code error;
    if (!fs::is_symlink(path, error)) return false;
    const fs::path target = fs::canonical(path, error);
    return error ||
           std::none_of(roots_.begin(), roots_.end(), [&](const fs::path& root) { return is_in(target, root); });
  }

  void folder(const fs::path& path) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator it(path, error); !error && it != fs::directory_iterator(); it.increment(error)) {
      entries.push_back(it->path());
    }
    if (error) skip(path, 0, kRuleUnreadable, error.message());
    std::sort(entries.begin(), entries.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
    for (const fs::path& entry : entries) visit(entry, false);
  }

  void skip(const fs::path& path, int64_t size, std::string_view rule, std::string why) {
    listing_.skipped.push_back({printable(path), size, std::string(rule), std::move(why)});
  }

  using Id = std::pair<dev_t, ino_t>;
  std::vector<fs::path> roots_;  // The inputs without links.
  std::set<Id> outputs_;
  std::set<Id> seen_;
  FolderListing listing_;
};

}  // namespace

std::string_view format_name(TextFormat format) {
  constexpr std::array<std::string_view, 4> kNames = {"text", "Markdown", "HTML", "JSON lines"};
  return kNames[static_cast<size_t>(format)];
}

FolderListing list_text_files(const std::vector<fs::path>& inputs, const std::vector<fs::path>& outputs) {
  Walk walk(inputs, outputs);
  for (const fs::path& input : inputs) walk.visit(input, true);
  return walk.take();
}

}  // namespace tinyllm::corpus

// Which files a phrase of a request means. Not installed.
#pragma once

#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// A request with what was between quotes taken out, so that it is never read as words, and the rest in NFKC.
struct Request {
  std::string words;  ///< Each quoted text is \x01 and its number.
  std::vector<std::string> quoted;

  explicit Request(std::string_view text);
  /// A piece of `words` with its quoted texts back, trimmed.
  std::string text_of(std::string_view piece) const;
};

/// A file or folder that exists, or a glob with filters.
struct Selection {
  std::string path, pattern;
  Json filters = Json::object();
  bool is_folder = false;
  bool is_sure = true;  ///< Whether every word was understood.

  /// The fields of a step that takes it: `path` or another name for one that exists.
  Json step(const char* operation, const char* path_field) const;
};

class Files {
 public:
  Files(const std::vector<std::string>& listing, int64_t now) : listing_(listing), now_(now) {}

  /// What a phrase such as "downloads 里超过 1G 的视频" or "all .tmp files" means; none if that is not clear.
  std::optional<Selection> select(const Request& request, std::string phrase) const;
  /// The one file or folder that a name can mean: by its path, its name, or its name without the extension.
  std::optional<std::string> find(std::string_view name) const;
  std::optional<std::string> find_folder(std::string_view name) const;
  /// The extensions of a kind of files: "视频", "documents"; null if there is no such kind.
  static Json extensions_of(const std::string& noun);
  bool has_folder(std::string_view path) const;
  /// Files whose path begins so.
  std::vector<std::string> files_in(std::string_view folder) const;
  int64_t now() const { return now_; }

 private:
  std::optional<std::string> find_where(std::string_view name, bool folder) const;
  bool take_conditions(const Request& request, std::string& phrase, Json& filters) const;
  bool name_kind(const std::string& what, Selection& selection) const;

  const std::vector<std::string>& listing_;
  int64_t now_;
};

std::string trimmed(std::string_view text);
/// A pattern without case in which `?` after a character of several bytes means all of them. std::regex knows bytes
/// only.
std::regex words(std::string_view pattern);

}  // namespace tinyllm::agent

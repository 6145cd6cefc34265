// Which files a phrase of a request means. Not installed.
#pragma once

#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <set>
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
  /// How far the words support it.
  enum class Certainty : uint8_t {
    guessed,  ///< A word was passed over, or could mean another file: enough to look at files.
    likely,   ///< Files that are named by their kind or their folder: enough to move them.
    sure      ///< Every word was understood: enough to delete.
  };
  std::string path, pattern;
  Json filters = Json::object();
  bool is_folder = false;
  Certainty certainty = Certainty::sure;

  /// The fields of a step that takes it: `path` or another name for one that exists.
  Json step(const char* operation, const char* path_field) const;
};

class Files {
 public:
  Files(const std::vector<std::string>& listing, int64_t now);

  /// What a phrase such as "downloads 里超过 1G 的视频" or "all .tmp files" means; none if that is not clear.
  std::optional<Selection> select(const Request& request, std::string phrase) const;
  /// The one file or folder that a name can mean: by its path, its name, or its name without the extension. None if a
  /// file that has the name before its extension competes with it. A slash at the end means a folder.
  std::optional<std::string> find(std::string_view name) const;
  std::optional<std::string> find_folder(std::string_view name) const;
  /// The extensions of a kind of files: "视频", "documents"; null if there is no such kind.
  static Json extensions_of(const std::string& noun);
  bool exists(std::string_view path) const { return paths_.contains(path); }
  bool has_folder(std::string_view path) const;

 private:
  enum class Wanted : uint8_t { any, folder };

  std::vector<std::string> candidates(std::string_view given, Wanted wanted) const;
  std::optional<Selection> select_named(const Request& request, const std::string& phrase, bool& is_ambiguous) const;
  bool take_conditions(const Request& request, std::string& phrase, Json& filters) const;
  bool name_kind(const std::string& what, const std::string& folder, Selection& selection) const;
  Selection::Certainty certainty_of(const std::string& noun, const std::string& extension,
                                    const std::string& folder) const;

  int64_t now_;
  std::map<std::string, bool, std::less<>> paths_;  // Whether each is a folder.
  // Paths by their folded names, and by those without the extension, if they have one.
  std::map<std::string, std::vector<std::string>> by_name_, by_stem_;
  std::set<std::string> extensions_;  // Folded, with the dot.
};

std::string trimmed(std::string_view text);
/// A pattern without case in which `?` after a character of several bytes means all of them. std::regex knows bytes
/// only.
std::regex words(std::string_view pattern);

}  // namespace tinyllm::agent

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// What became of a corpus: how much text there was, how much was kept, and what each rule dropped, with samples.
class Report {
 public:
  struct Amount {
    int64_t files = 0;
    int64_t documents = 0;
    int64_t paragraphs = 0;
    int64_t bytes = 0;  ///< Of text in UTF-8.

    Amount& operator+=(const Amount& other);
  };

  struct Sample {
    std::string source;  ///< For people: "notes/a.txt:12".
    std::string text;    ///< UTF-8, shortened.
  };

  struct Rule {
    int64_t pieces = 0;
    int64_t bytes = 0;
    std::vector<Sample> samples;  ///< The first three.
  };

  struct File {
    std::string name;
    std::string format;
    std::string encoding;
    Amount read;
    Amount kept;
  };

  /// A text file, by its name, that could not be read to its end.
  struct Unread {
    std::string name;
    std::string why;
  };

  Amount read;
  Amount kept;
  std::vector<Unread> unread;
  std::map<std::string, Amount> encodings;  ///< What was read, by encoding
  std::map<std::string, Amount> formats;    ///< and by kind of file.
  std::map<std::string, Rule> rules;
  std::map<std::string, int64_t> changed;  ///< What was removed from paragraphs or written in another way, by kind.
  std::vector<File> files;

  /// Adds a file, also to the totals. It counts as kept when some of its text was.
  void add(File file);

  /// Counts a text that a rule dropped. The text may be any bytes: what is not UTF-8 is shown as U+FFFD.
  void drop(std::string_view rule, std::string_view text, std::string_view source);
  /// The same when the text is only a part of what was dropped: counts `bytes`.
  void drop(std::string_view rule, std::string_view text, std::string_view source, int64_t bytes);

  /// {"read": {"files", "documents", "paragraphs", "bytes"}, "kept": as read, "encodings": {name: as read},
  ///  "formats": {name: as read}, "rules": {name: {"pieces", "bytes", "samples": [{"source", "text"}]}},
  ///  "changed": {kind: count}, "unread": [{"name", "why"}], "files": [{"name", "format", "encoding", "read", "kept"}]}
  std::string to_json() const;

  /// A page for people, in one file without scripts: totals, a bar for each rule with its samples, what was changed,
  /// encodings and formats.
  std::string to_html() const;
};

}  // namespace tinyllm::corpus

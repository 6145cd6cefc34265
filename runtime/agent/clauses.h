// One clause of a request as steps of a plan. Not installed.
#pragma once

#include <tinyllm/runtime/agent/selection.h>

#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm::agent {

class Clauses {
 public:
  Clauses(const Request& request, const Files& files) : request_(request), files_(files) {}

  /// The steps of a clause; none unless every word of it was understood.
  std::optional<Json> steps(const std::string& clause);
  /// "Create a.md containing: ...", whose content is taken as it was typed.
  std::optional<Json> with_content(const std::string& text);
  /// "What would be deleted if ...": a list instead of the deletion.
  std::optional<Json> preview_of(const std::string& text);

 private:
  using Match = std::smatch;
  using Reader = std::optional<Json> (Clauses::*)(const Match&);
  struct Form {
    std::regex regex;
    Reader reader;
  };
  static const std::vector<Form>& forms();

  std::string text(const Match& match, size_t group) const { return request_.text_of(match[group].str()); }
  std::optional<Selection> select(const std::string& phrase, Selection::Certainty needed) const;
  std::optional<std::string> new_path(const std::string& name) const;
  std::optional<std::string> folder_or_new(const std::string& name) const;

  std::optional<Json> create_in(const Match& match);
  std::optional<Json> create(const Match& match);
  std::optional<Json> make_folder(const Match& match);
  std::optional<Json> read(const Match& match);
  std::optional<Json> list(const Match& match);
  std::optional<Json> list_in(const Match& match);
  std::optional<Json> mention(const Match& match);
  std::optional<Json> replace(const Match& match);
  std::optional<Json> replace_english(const Match& match);
  std::optional<Json> append(const Match& match);
  std::optional<Json> append_quoted(const Match& match);
  std::optional<Json> empty(const Match& match);
  std::optional<Json> remove(const Match& match);
  std::optional<Json> move(const Match& match);
  std::optional<Json> move_into_new(const Match& match);
  std::optional<Json> move_up(const Match& match);
  std::optional<Json> copy(const Match& match);
  std::optional<Json> swap_names(const Match& match);
  std::optional<Json> prefix(const Match& match);
  std::optional<Json> lower_extensions(const Match& match);
  std::optional<Json> rename(const Match& match);
  std::optional<Json> sort_into(const Match& match);
  std::optional<Json> sort_by(const Match& match);
  std::optional<Json> tag(const Match& match);
  std::optional<Json> tag_last(const Match& match);
  std::optional<Json> compress(const Match& match);
  std::optional<Json> extract(const Match& match);

  std::optional<Json> append_text(const std::string& name, const Match& match, size_t group) const;
  std::optional<Json> transfer(const char* operation, const std::string& what, const std::string& to);

  const Request& request_;
  const Files& files_;
  std::string last_folder_;   // That an earlier clause made or moved to.
  std::string last_pattern_;  // Of the files that it moved there.
  Json last_extensions_;      // Theirs; null if they may have any.
};

}  // namespace tinyllm::agent

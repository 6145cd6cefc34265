#include <tinyllm/runtime/agent/clauses.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>

#include <algorithm>

namespace tinyllm::agent {
namespace {

Json one(Json step) { return Json::array({std::move(step)}); }

bool has_extension(std::string_view path) { return !extension_of(base_name(path)).empty(); }

}  // namespace

std::optional<Json> Clauses::steps(const std::string& clause) {
  std::smatch match;
  for (const Form& form : forms()) {
    if (!std::regex_match(clause, match, form.regex)) continue;
    if (auto steps = (this->*form.reader)(match)) return steps;
  }
  return std::nullopt;
}

// A path that need not exist: words are no path.
std::optional<std::string> Clauses::new_path(const std::string& name) const {
  static const std::regex plain = words("^[^ ,;:?*\"<>|]+$");
  const std::string path = trimmed(name);
  // A name with blanks is taken from quotes alone: without them, its end is not known.
  const bool is_quoted = std::find(request_.quoted.begin(), request_.quoted.end(), path) != request_.quoted.end();
  if (path.empty() || path.size() > 200 || (!is_quoted && !std::regex_match(path, plain))) return std::nullopt;
  return path;
}

// What a change may take: enough words of the phrase were understood.
std::optional<Selection> Clauses::select(const std::string& phrase, Selection::Certainty needed) const {
  auto selection = files_.select(request_, phrase);
  if (selection && selection->certainty < needed) return std::nullopt;
  return selection;
}

std::optional<std::string> Clauses::folder_or_new(const std::string& name) const {
  static const std::regex top = words("^(?:根目录|最上层|the root|the top|root)$");
  static const std::regex noise = words("^(?:the )?(.+?)(?:目录|文件夹| folder| directory)?(?:里面|里|中|下)?$");
  // Words for a place that is not below the root, or that was not named.
  static const std::regex nowhere = words(
      "^(?:trash|recycle "
      "bin|desktop|somewhere|elsewhere|anywhere|another|there|here|it|where|别的|别处|另一个|另外|哪|哪里|"
      "哪儿|那|那里|这|这里|某处|回收站|废纸篓|垃圾桶|桌面)(?:地方)?$");
  std::smatch match;
  std::string path = trimmed(name);
  if (std::regex_match(path, top)) return "";
  if (!has_extension(path) && std::regex_match(path, match, noise)) path = trimmed(match[1].str());
  while (path.ends_with('/')) path.pop_back();
  if (auto found = files_.find_folder(path)) return found;
  if (std::regex_match(path, nowhere)) return std::nullopt;
  return new_path(path);
}

std::optional<Json> Clauses::create_in(const Match& match) {
  const auto folder = folder_or_new(text(match, 1));
  const auto name = new_path(text(match, 2));
  if (!folder || !name) return std::nullopt;
  const std::string title = text(match, 3);
  return one({{"operation", "create"},
              {"path", joined(*folder, *name)},
              {"content", title.empty() ? "" : "# " + title + "\n"}});
}

std::optional<Json> Clauses::create(const Match& match) {
  const auto folder = match.size() > 2 && match[2].matched ? folder_or_new(text(match, 2)) : "";
  const auto name = new_path(text(match, 1));
  if (!folder || !name || name->find(' ') != name->npos) return std::nullopt;
  return one({{"operation", "create"}, {"path", joined(*folder, *name)}, {"content", ""}});
}

std::optional<Json> Clauses::make_folder(const Match& match) {
  const auto path = new_path(text(match, 1));
  if (!path || has_extension(*path)) return std::nullopt;
  last_folder_ = *path;
  return one({{"operation", "create"}, {"path", *path + "/"}});
}

std::optional<Json> Clauses::with_content(const std::string& text) {
  static const std::regex english = words(
      "^ *(?:please )?(?:create|write|make) (?:a file )?([^ ]+\\.[a-z0-9]+) (?:containing|with (?:the )?content)[: ] "
      "?([^]+)$");
  static const std::regex chinese = words(
      "^ *(?:请|帮我)?(?:写|创建|新建)(?:一个|个)? ?([^ ,，]+\\.[a-zA-Z0-9]+) ?(?:,|，)? ?内容(?:是|为|:|：) ?([^]+)$");
  std::smatch match;
  if (!std::regex_match(text, match, english) && !std::regex_match(text, match, chinese)) return std::nullopt;
  std::string content = match[2].str();
  if (!content.ends_with('\n')) content += '\n';
  return Json{{"operation", "create"}, {"path", match[1].str()}, {"content", content}};
}

std::optional<Json> Clauses::preview_of(const std::string& given) {
  static const std::string later = "(?:先别|先不要|别真的?|不要真的?)(?:动|执行|删除?)";
  static const std::regex asked = words(
      later +
      "|会删哪些|会删掉哪些|what would (?:be )?delete|without deleting|(?:don't|do not) (?:run|do) (?:it|anything)");
  static const std::regex what = words(
      "^.*?(?:如果|要是)(?:删掉|删除|删) ?(.+?) ?(?:的话)?会删掉?哪些.*$|^.*what would be deleted if (?:i|you) "
      "(?:deleted?|removed?) (.+)$|^(?:" +
      later +
      "[,;]? ?)?(?:把|将|删除|删掉) ?(.+?) ?(?:都|全部)?(?:删了|删掉|删除)?(?:[,;]? "
      "?(?:但是?|不过)?,? ?" +
      later + ")?$|^(?:delete|remove) (.+?),? but (?:don't|do not) (?:run|do) (?:it|anything)(?: yet)?$");
  std::smatch match;
  if (!std::regex_search(given, asked) || !std::regex_match(given, match, what)) return std::nullopt;
  const auto selection = files_.select(request_, match[1].str() + match[2].str() + match[3].str() + match[4].str());
  if (!selection) return std::nullopt;
  Json step = selection->step("list", "path");
  if (selection->is_folder) step["recursive"] = true;
  return one(step);
}

std::optional<Json> Clauses::read(const Match& match) {
  const auto selection = files_.select(request_, match[1].str());
  if (!selection || selection->path.empty() || selection->is_folder) return std::nullopt;
  return one({{"operation", "read"}, {"path", selection->path}});
}

std::optional<Json> Clauses::list(const Match& match) {
  // A list does no harm: of a folder and a file whose names begin alike it takes the folder.
  if (const auto folder = files_.find_folder(text(match, 1))) return one({{"operation", "list"}, {"path", *folder}});
  const auto selection = files_.select(request_, match[1].str());
  if (!selection || (!selection->path.empty() && !selection->is_folder)) return std::nullopt;
  return one(selection->step("list", "path"));
}

std::optional<Json> Clauses::list_in(const Match& match) {
  const auto selection = files_.select(request_, match[1].str() + "里的" + match[2].str());
  if (!selection) return std::nullopt;
  return one(selection->step("list", "path"));
}

std::optional<Json> Clauses::mention(const Match& match) {
  return one(
      {{"operation", "list"}, {"pattern", "**/*"}, {"filters", {{"contains", text(match, 1)}, {"type", "file"}}}});
}

std::optional<Json> Clauses::replace(const Match& match) {
  const auto file = files_.find(text(match, 1));
  if (!file || files_.has_folder(*file)) return std::nullopt;
  const bool all = match.str().find("所有") != std::string::npos || match.str().find("全部") != std::string::npos;
  Json edit = {{"kind", "replace"}, {"find", text(match, 2)}, {"with", text(match, 3)}};
  if (all) edit["count"] = "all";
  return one({{"operation", "update"}, {"path", *file}, {"edits", {edit}}});
}

std::optional<Json> Clauses::replace_english(const Match& match) {
  const auto file = files_.find(text(match, 4));
  if (!file || files_.has_folder(*file)) return std::nullopt;
  Json edit = {{"kind", "replace"}, {"find", text(match, 2)}, {"with", text(match, 3)}};
  if (match[1].matched) edit["count"] = "all";
  return one({{"operation", "update"}, {"path", *file}, {"edits", {edit}}});
}

std::optional<Json> Clauses::append_text(const std::string& name, const Match& match, size_t group) const {
  static const std::regex thing = words("^(?:tag|an?)\\b|^(?:标签|一个)");
  const auto file = files_.find(name);
  const std::string line = text(match, group);
  const bool is_quoted = match[group].str().starts_with('\x01');
  // The name of a file may mean the file, and a tag is none of its lines.
  if (!file || files_.has_folder(*file) || line.empty() || files_.find(line)) return std::nullopt;
  if (!is_quoted && std::regex_search(line, thing)) return std::nullopt;
  return one({{"operation", "update"}, {"path", *file}, {"edits", {{{"kind", "append"}, {"with", line + "\n"}}}}});
}

std::optional<Json> Clauses::append(const Match& match) {
  return append_text(text(match, 1), match, match[2].matched ? 2 : 3);
}

std::optional<Json> Clauses::append_quoted(const Match& match) { return append_text(text(match, 2), match, 1); }

std::optional<Json> Clauses::empty(const Match& match) {
  const auto folder = files_.find_folder(text(match, 1));
  if (!folder) return std::nullopt;
  Json step = {{"operation", "delete"}, {"pattern", *folder + "/*"}, {"recursive", true}};
  if (match[2].matched && !text(match, 2).empty()) {
    // What stays is named in full: "app" could be one of several.
    const std::string name = text(match, 2), below = joined(*folder, name);
    const auto kept = files_.exists(below) ? below : files_.find(name);
    if (!kept || base_name(*kept) != base_name(name) || !is_within(*kept, *folder)) return std::nullopt;
    step["filters"] = {{"except", {*kept}}};
  }
  return one(step);
}

std::optional<Json> Clauses::remove(const Match& match) {
  static const std::regex vague =
      words("没用|无用|不需要|不要的|旧的?文件|useless|unused|unneeded|old files|那个|这个|that|this|重复|duplicate");
  static const std::regex everywhere = words("[*.]|\\b(?:all|every)\\b|所有|全部");
  const std::string what = match[1].str();
  if (std::regex_search(what, vague)) return std::nullopt;
  // What is deleted must have been named: a word that was passed over could have said which.
  const auto selection = select(what, Selection::Certainty::sure);
  if (!selection) return std::nullopt;
  if (selection->path.empty()) {
    const std::string& pattern = selection->pattern;
    const bool is_any_name = pattern.find_first_not_of("*?./") == pattern.npos && !selection->filters.contains("ext");
    const bool is_anywhere = pattern == "*" || pattern.starts_with("**");
    if (is_anywhere && (is_any_name || !std::regex_search(match.str(), everywhere))) return std::nullopt;
  }
  Json step = selection->step("delete", "path");
  if (selection->is_folder) step["recursive"] = true;
  return one(step);
}

std::optional<Json> Clauses::transfer(const char* operation, const std::string& what, const std::string& to) {
  const auto selection = select(what, Selection::Certainty::likely);
  const auto folder = folder_or_new(to);
  if (!selection || !folder) return std::nullopt;
  Json step = selection->step(operation, "src");
  const bool exists = folder->empty() || files_.has_folder(*folder);
  if (selection->path.empty()) {
    step["dst"] = folder->empty() ? "." : *folder + "/";
    last_folder_ = *folder;
    last_pattern_ = std::string(base_name(selection->pattern));
    last_extensions_ = selection->filters.value("ext", Json());
  } else if (exists || (!has_extension(*folder) && !selection->is_folder)) {
    step["dst"] = joined(*folder, base_name(selection->path));
    last_folder_ = *folder;
    last_pattern_ = std::string(base_name(selection->path));
    last_extensions_ = nullptr;
  } else {
    step["dst"] = *folder;
  }
  return one(step);
}

std::optional<Json> Clauses::move(const Match& match) { return transfer("move", match[1].str(), text(match, 2)); }

std::optional<Json> Clauses::move_into_new(const Match& match) {
  if (last_folder_.empty()) return std::nullopt;
  return transfer("move", match[1].str(), last_folder_);
}

std::optional<Json> Clauses::move_up(const Match& match) {
  const auto folder = files_.find_folder(text(match, 1));
  if (!folder) return std::nullopt;
  const std::string_view above = parent_of(*folder);
  return one(
      {{"operation", "move"}, {"pattern", *folder + "/*"}, {"dst", above.empty() ? "." : std::string(above) + "/"}});
}

std::optional<Json> Clauses::copy(const Match& match) {
  static const std::regex two = words("^(.+?) (?:and|和) (.+)$");
  const std::string what = match[1].str();
  std::smatch both;
  if (!files_.select(request_, what) && std::regex_match(what, both, two)) {
    const auto first = transfer("copy", both[1].str(), text(match, 2)),
               second = transfer("copy", both[2].str(), text(match, 2));
    if (!first || !second) return std::nullopt;
    return Json::array({first->front(), second->front()});
  }
  return transfer("copy", what, text(match, 2));
}

std::optional<Json> Clauses::swap_names(const Match& match) {
  const auto a = files_.find(text(match, 1)), b = files_.find(text(match, 2));
  if (!a || !b || *a == *b || parent_of(*a) != parent_of(*b)) return std::nullopt;
  const auto step = [](const std::string& from, const std::string& to) {
    return Json{{"operation", "rename"}, {"src", from}, {"new_name", base_name(to)}, {"batch", 1}};
  };
  return Json::array({step(*a, *b), step(*b, *a)});
}

std::optional<Json> Clauses::prefix(const Match& match) {
  const auto folder = files_.find_folder(text(match, 1));
  const std::string from = trimmed(text(match, 2)), to = trimmed(text(match, 3));
  if (!folder || from.find_first_of("*?[]/") != from.npos) return std::nullopt;
  return one({{"operation", "rename"}, {"pattern", joined(*folder, from + "*")}, {"find", from}, {"with", to}});
}

std::optional<Json> Clauses::lower_extensions(const Match& match) {
  const auto folder = files_.find_folder(text(match, 1));
  if (!folder) return std::nullopt;
  return one({{"operation", "rename"}, {"pattern", *folder + "/*"}, {"template", "{stem}{ext:lower}"}});
}

std::optional<Json> Clauses::rename(const Match& match) {
  const std::string old_name = text(match, 1);
  const auto file = files_.find(old_name);
  auto name = new_path(text(match, 2));
  if (!file || !name || name->find('/') != name->npos) return std::nullopt;
  // Who says "budget" for budget.xlsx leaves the extension out of both names.
  const std::string_view extension = extension_of(base_name(*file));
  if (!has_extension(*name) && !files_.has_folder(*file) && !folded(base_name(old_name)).ends_with(folded(extension)))
    *name += extension;
  return one({{"operation", "rename"}, {"src", *file}, {"new_name", *name}});
}

std::optional<Json> Clauses::sort_into(const Match& match) {
  static const std::regex pair = words("(.+?)放(?:到|进|在)? ?([^,;]+)[,;]? ?");
  const auto folder = files_.find_folder(text(match, 1));
  if (!folder) return std::nullopt;
  Json rules = Json::array();
  std::string rest = match[2].str(), left = std::regex_replace(rest, pair, "");
  if (!trimmed(left).empty()) return std::nullopt;
  for (auto it = std::sregex_iterator(rest.begin(), rest.end(), pair); it != std::sregex_iterator(); ++it) {
    const Json extensions = Files::extensions_of(trimmed((*it)[1].str()));
    const auto to = new_path(text(*it, 2));
    if (extensions.is_null() || !to) return std::nullopt;
    rules.push_back({{"ext", extensions}, {"to", joined(*folder, *to)}});
  }
  return one({{"operation", "classify"}, {"pattern", *folder + "/*"}, {"rules", rules}});
}

std::optional<Json> Clauses::sort_by(const Match& match) {
  static const std::regex type = words("(?:file )?type|extension|文件类型|类型|扩展名"), month = words("month|月份|月"),
                          year = words("year|年份|年");
  // The words stand in either order.
  const bool key_first = std::regex_match(match[1].str(), words("文件类型|类型|扩展名|月份|月|年份|年|日期"));
  const std::string key = match[key_first ? 1 : 2].str(), what = match[key_first ? 2 : 1].str();
  std::string folder, files = "/*";
  if (const auto found = files_.find_folder(request_.text_of(what))) {
    folder = *found;
  } else if (std::regex_match(what, words("(?:the )?meeting notes")) && files_.find_folder("会议")) {
    folder = *files_.find_folder("会议");
    files = "/*.md";
  } else {
    return std::nullopt;
  }
  Json rule;
  if (std::regex_match(key, type)) rule = {{"by", "ext"}, {"to", folder + "/{ext}"}};
  if (std::regex_match(key, month)) rule = {{"by", "month"}, {"to", folder + "/{yyyy}-{mm}"}};
  if (std::regex_match(key, year)) rule = {{"by", "year"}, {"to", folder + "/{yyyy}"}};
  if (rule.is_null()) return std::nullopt;
  return one({{"operation", "classify"}, {"pattern", folder + files}, {"rules", {rule}}});
}

std::optional<Json> Clauses::tag(const Match& match) {
  const auto selection = select(match[1].str(), Selection::Certainty::likely);
  if (!selection || selection->is_folder) return std::nullopt;
  Json step = selection->step("tag", "path");
  step["tag"] = text(match, 2);
  return one(step);
}

std::optional<Json> Clauses::tag_last(const Match& match) {
  if (last_folder_.empty() || last_pattern_.empty()) return std::nullopt;
  const bool is_any = last_pattern_ == "*" && last_extensions_.is_null();
  Json step = {{"operation", "tag"},
               {"pattern", joined(last_folder_, is_any ? "*.md" : last_pattern_)},
               {"tag", text(match, 1)}};
  if (!last_extensions_.is_null()) step["filters"] = {{"ext", last_extensions_}};
  return one(step);
}

std::optional<Json> Clauses::compress(const Match& match) {
  const auto selection = select(match[1].str(), Selection::Certainty::likely);
  const auto to = new_path(text(match, 2));
  if (!selection || !to || !has_extension(*to)) return std::nullopt;
  Json step = selection->is_folder ? Json{{"operation", "compress"}, {"pattern", selection->path + "/**"}}
                                   : selection->step("compress", "path");
  step["dst"] = *to;
  return one(step);
}

std::optional<Json> Clauses::extract(const Match& match) {
  const auto file = files_.find(text(match, 1));
  const auto to = folder_or_new(text(match, 2));
  if (!file || files_.has_folder(*file) || !to || to->empty()) return std::nullopt;
  return one({{"operation", "extract"}, {"path", *file}, {"dst", *to}});
}

}  // namespace tinyllm::agent

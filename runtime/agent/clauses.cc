#include <tinyllm/runtime/agent/clauses.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>

#include <algorithm>

namespace tinyllm::agent {
namespace {

Json one(Json step) { return Json::array({std::move(step)}); }

bool has_extension(std::string_view path) { return !extension_of(base_name(path)).empty(); }

}  // namespace

// The first form that fits the whole clause and makes sense counts, so that the special ones come first.
const std::vector<Clauses::Form>& Clauses::forms() {
  static const std::vector<Form> all = {
      {words("^在 ?(.+?) ?(?:目录|文件夹)?(?:里|下|中|里面)? ?(?:创建|新建|建|写)(?:一篇|一个|个)?(?:名为|叫做|叫) "
             "?([^ ,]+?) ?的?(?:笔记|文件|文档)?(?:,? ?标题(?:是|为)?[: ]?(.+))?$"),
       &Clauses::create_in},
      {words("^(?:create|make) (?:an? )?(?:empty |new )?file (?:called |named )?(.+?)(?: in (.+))?$"),
       &Clauses::create},
      {words("^(?:新建|创建|建)(?:一个|个)?(?:空)?文件 ?([^ ]+)$"), &Clauses::create},
      {words("^(?:新建|创建|建立|建)(?:一个|个)?(?:目录|文件夹)? ?([^ ,]+?)(?:目录|文件夹)?$"), &Clauses::make_folder},
      {words("^(?:make|create) (?:a )?(?:new )?(?:folder|directory) (?:called |named )?([^ ]+)$"),
       &Clauses::make_folder},
      {words("^(.+?) ?(?:里面|里|中|下面|下)(?:有)?(?:哪些|什么) ?(.*?)$"), &Clauses::list_in},
      {words("^(?:列出|列一下|查找|找出|找一下|找|看看|list|find|show) ?(?:所有的?|全部)?(.+)$"), &Clauses::list},
      {words("^(?:which|what) files? (?:mention|contain)s? (.+)$"), &Clauses::mention},
      {words("^哪些文件(?:里)?(?:提到|包含|含有)了? ?(.+)$"), &Clauses::mention},
      {words("^(?:读(?:一下|一读)?|查看|打开|显示|看(?:一下)?|show me what's in|show me|read|open|cat|print) "
             "?(.+?)(?:的内容)?$"),
       &Clauses::read},
      {words("^(?:把|将) ?(.+?) ?(?:里面的|里的|中的|里面|里) ?(?:所有的?|全部的?)?(\x01[0-9]) "
             "?(?:全部|都)?(?:改成|改为|替换成|替换为|换成) ?(\x01[0-9])$"),
       &Clauses::replace},
      {words("^replace (every |all )?(\x01[0-9]) (?:with|by) (\x01[0-9]) in (.+)$"), &Clauses::replace_english},
      {words(
           "^(?:在 ?)?(.+?) ?(?:的?(?:里面|里|中|末尾|最后))? ?(?:追加|添加|加上)(?:一条记录|一行|一条)?[: ]? ?(.+)$"),
       &Clauses::append},
      {words("^(?:append|add) (.+?) to (?:the end of )?(.+)$"), &Clauses::append_english},
      {words("^(?:清空|empty) ?(?:the )?(.+?)(?:,? ?(?:但是?|不过|but|保留|留下|除了) "
             "?(?:不要删除?|别删|保留|留下|keep )? ?([^ ,]+?) "
             "?(?:不要删|别删|保留|留下|不删|以外|外)?)?$"),
       &Clauses::empty},
      {words("^(?:删除|删掉|删|移除|去掉|delete|del|remove) ?(.+)$"), &Clauses::remove},
      {words("^(?:把|将) ?(.+?) ?(?:都|全部)?(?:删除|删掉|删了|移除|去掉)$"), &Clauses::remove},
      {words("^(?:put|move) (?:everything|all files|all) (?:from|in) (.+) one level up$"), &Clauses::move_up},
      {words("^(?:把|将) ?(.+?) ?(?:里的|中的)?(?:东西|文件|内容)?(?:都|全部)?(?:移|挪|放)到上一级(?:目录)?$"),
       &Clauses::move_up},
      {words("^(?:把|将) ?(.+?) ?(?:都|全部)?(?:挪|移|放|搬)进去$"), &Clauses::move_into_new},
      {words("^(?:把|将)? ?(.+?) ?(?:移出来)?(?:都|全部)? ?(?:移动到|移到|移至|挪到|放到|放进|放入|搬到|move 到|move "
             "to) ?(.+?)(?: ?(?:里面|里|中|下)?去?)?$"),
       &Clauses::move},
      {words("^(?:move|put) (.+?) (?:in)?to (.+)$"), &Clauses::move},
      {words("^(?:把|将)? ?(.+?) ?(?:复制|拷贝|备份)(?:到|为|成|一份到) ?(.+?)$"), &Clauses::copy},
      {words("^(?:复制|拷贝|备份) ?(.+?) ?(?:到|为|成) ?(.+?)$"), &Clauses::copy},
      {words("^(?:copy|back up) (.+?) (?:in)?to (.+)$"), &Clauses::copy},
      {words("^swap the names of (.+?) and (.+)$"), &Clauses::swap_names},
      {words("^(?:交换|对调) ?(.+?) ?(?:和|与) ?(.+?) ?的(?:名字|文件名)$"), &Clauses::swap_names},
      {words("^(.+?) ?(?:里面的|里的|中的|里) ?([^ ]+) ?前缀(?:全部|都)?(?:换成|改成|改为) ?([^ ]+)$"),
       &Clauses::prefix},
      {words("^lowercase all (?:file )?extensions in (.+)$"), &Clauses::lower_extensions},
      {words("^(?:把|将)? ?(.+?) "
             "?(?:里面|里|中)?的?(?:所有)?(?:文件)?(?:扩展名|后缀)(?:都|全部)?(?:改成|变成|改为)小写$"),
       &Clauses::lower_extensions},
      {words("^(?:把|将)? ?(.+?) ?(?:重命名为|重命名成|改名为|改名成|改名叫|更名为) ?(.+)$"), &Clauses::rename},
      {words("^rename (.+?) (?:to|as) (.+)$"), &Clauses::rename},
      {words("^整理 ?([^:,]+)[:,] ?(.+放.+)$"), &Clauses::sort_into},
      {words("^(?:sort|organi[sz]e|group) (.+?) by ((?:file )?type|extension|month|year|day|date)$"),
       &Clauses::sort_by},
      {words("^(?:把|将)? ?(.+?) ?按 ?(文件类型|类型|扩展名|月份|月|年份|年|日期) ?(?:整理|归类|分类|分组)$"),
       &Clauses::sort_by},
      {words("^按 ?(文件类型|类型|扩展名|月份|月|年份|年|日期) ?(?:整理|归类|分类) ?(.+)$"), &Clauses::sort_by},
      {words("^(?:给|为) ?(.+?) ?(?:都)?(?:打上|加上|打|加|添加) ?(.+?) ?(?:的)?标签$"), &Clauses::tag},
      {words("^tag (.+?) (?:with|as) (.+)$"), &Clauses::tag},
      {words("^打上?标签 ?(.+)$"), &Clauses::tag_last},
      {words("^(?:把|将)? ?(.+?) ?(?:打包|压缩)(?:成|为|到) ?([^ ,]+?)(?:,? ?(?:原文件保留|保留原文件))?$"),
       &Clauses::compress},
      {words("^(?:打包|压缩) ?(?:所有的?|全部的?)?(.+?) ?(?:成|为|到) ?([^ ,]+?)(?:,? ?(?:原文件保留|保留原文件))?$"),
       &Clauses::compress},
      {words("^(?:zip|compress|archive|pack) (.+?) (?:in)?to ([^ ]+)$"), &Clauses::compress},
      {words("^(?:把|将)? ?(.+?) ?解压缩?到 ?([^ ]+)$"), &Clauses::extract},
      {words("^解压缩? ?(.+?) ?到 ?([^ ]+)$"), &Clauses::extract},
      {words("^(?:unzip|extract|unpack) (.+?) (?:in)?to ([^ ]+)$"), &Clauses::extract}};
  return all;
}

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

std::optional<std::string> Clauses::folder_or_new(const std::string& name) const {
  static const std::regex top = words("^(?:根目录|最上层|the root|the top|root)$");
  static const std::regex noise = words("^(?:the )?(.+?)(?:目录|文件夹| folder| directory)?(?:里面|里|中|下)?$");
  std::smatch match;
  std::string path = trimmed(name);
  if (std::regex_match(path, top)) return "";
  if (!has_extension(path) && std::regex_match(path, match, noise)) path = trimmed(match[1].str());
  while (path.ends_with('/')) path.pop_back();
  if (auto found = files_.find_folder(path)) return found;
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
  static const std::regex asked =
      words("先别动|别真的?删|会删哪些|会删掉哪些|what would (?:be )?delete|without deleting");
  static const std::regex what = words(
      "^.*?(?:如果|要是)(?:删掉|删除|删) ?(.+?) ?(?:的话)?会删掉?哪些.*$|^.*what would be deleted if (?:i|you) "
      "(?:deleted?|removed?) (.+)$");
  std::smatch match;
  if (!std::regex_search(given, asked) || !std::regex_match(given, match, what)) return std::nullopt;
  const auto selection = files_.select(request_, match[1].str() + match[2].str());
  if (!selection) return std::nullopt;
  return one(selection->step("list", "path"));
}

std::optional<Json> Clauses::read(const Match& match) {
  const auto selection = files_.select(request_, match[1].str());
  if (!selection || selection->path.empty() || selection->is_folder) return std::nullopt;
  return one({{"operation", "read"}, {"path", selection->path}});
}

std::optional<Json> Clauses::list(const Match& match) {
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

std::optional<Json> Clauses::append(const Match& match) {
  const auto file = files_.find(text(match, 1));
  const std::string line = text(match, 2);
  if (!file || files_.has_folder(*file) || line.empty()) return std::nullopt;
  return one({{"operation", "update"}, {"path", *file}, {"edits", {{{"kind", "append"}, {"with", line + "\n"}}}}});
}

std::optional<Json> Clauses::append_english(const Match& match) {
  const auto file = files_.find(text(match, 2));
  if (!file || files_.has_folder(*file)) return std::nullopt;
  return one(
      {{"operation", "update"}, {"path", *file}, {"edits", {{{"kind", "append"}, {"with", text(match, 1) + "\n"}}}}});
}

std::optional<Json> Clauses::empty(const Match& match) {
  const auto folder = files_.find_folder(text(match, 1));
  if (!folder) return std::nullopt;
  Json step = {{"operation", "delete"}, {"pattern", *folder + "/*"}, {"recursive", true}};
  if (match[2].matched && !text(match, 2).empty()) {
    std::optional<std::string> kept = joined(*folder, text(match, 2));
    if (files_.find(*kept) != kept) kept = files_.find(text(match, 2));
    if (!kept || !is_within(*kept, *folder)) return std::nullopt;
    step["filters"] = {{"except", {*kept}}};
  }
  return one(step);
}

std::optional<Json> Clauses::remove(const Match& match) {
  static const std::regex vague =
      words("没用|无用|不需要|不要的|旧的?文件|useless|unused|unneeded|old files|那个|这个|that|this|重复|duplicate");
  const std::string what = match[1].str();
  if (std::regex_search(what, vague)) return std::nullopt;
  const auto selection = files_.select(request_, what);
  // What is deleted must have been named: a word that was passed over could have said which.
  if (!selection || !selection->is_sure || selection->pattern == "**/*" || selection->pattern == "*")
    return std::nullopt;
  Json step = selection->step("delete", "path");
  if (selection->is_folder) step["recursive"] = true;
  return one(step);
}

std::optional<Json> Clauses::transfer(const char* operation, const std::string& what, const std::string& to) {
  const auto selection = files_.select(request_, what);
  const auto folder = folder_or_new(to);
  if (!selection || !folder) return std::nullopt;
  Json step = selection->step(operation, "src");
  const bool exists = folder->empty() || files_.has_folder(*folder);
  if (selection->path.empty()) {
    step["dst"] = folder->empty() ? "." : *folder + "/";
    last_folder_ = *folder;
    last_pattern_ = std::string(base_name(selection->pattern));
  } else if (exists || (!has_extension(*folder) && !selection->is_folder)) {
    step["dst"] = joined(*folder, base_name(selection->path));
    last_folder_ = *folder;
    last_pattern_ = std::string(base_name(selection->path));
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
  const auto file = files_.find(text(match, 1));
  const auto name = new_path(text(match, 2));
  if (!file || !name || name->find('/') != name->npos) return std::nullopt;
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
  const auto selection = files_.select(request_, match[1].str());
  if (!selection || selection->is_folder) return std::nullopt;
  Json step = selection->step("tag", "path");
  step["tag"] = text(match, 2);
  return one(step);
}

std::optional<Json> Clauses::tag_last(const Match& match) {
  if (last_folder_.empty() || last_pattern_.empty()) return std::nullopt;
  return one({{"operation", "tag"},
              {"pattern", joined(last_folder_, last_pattern_ == "*" ? "*.md" : last_pattern_)},
              {"tag", text(match, 1)}});
}

std::optional<Json> Clauses::compress(const Match& match) {
  const auto selection = files_.select(request_, match[1].str());
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

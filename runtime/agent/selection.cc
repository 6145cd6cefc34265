#include <tinyllm/runtime/agent/selection.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <set>

namespace tinyllm::agent {
namespace {

std::string nfkc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFKCInstance(status);
  if (U_FAILURE(status)) throw Error("text cannot be normalised: {}", u_errorName(status));
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  std::string result;
  form->normalize(wide, status).toUTF8String(result);
  return result;
}

std::tm date_of(int64_t now) {
  const std::time_t seconds = now / 1'000'000'000;
  std::tm date{};
  localtime_r(&seconds, &date);
  return date;
}

std::string first_of(int year, int month) {
  return month > 12 ? fmt::format("{:04}-01-01", year + 1) : fmt::format("{:04}-{:02}-01", year, month);
}

struct Kind {
  const char* words;
  std::vector<const char*> extensions;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"照片|相片|图片|photos?|pictures?|images?", {"jpg", "jpeg", "png", "gif", "heic", "webp", "bmp"}},
      {"视频|影片|电影|videos?|movies?", {"mp4", "mkv", "avi", "mov"}},
      {"压缩包|压缩文件|archives?|zips", {"zip", "rar", "7z", "gz"}},
      {"文档|documents?", {"pdf", "docx", "doc", "xlsx", "pptx", "odt"}},
      {"日志|日志文件|logs?|log files?", {"log"}},
      {"音乐|歌曲|music|songs?", {"mp3", "flac", "wav", "m4a"}},
      {"表格|spreadsheets?", {"xlsx", "xls", "csv"}}};
  return all;
}

const char* kFiles = "(?:东西|文件|内容|资料|files?|things?|stuff|everything|all)?";

}  // namespace

std::regex words(std::string_view pattern) {
  std::string text;
  for (size_t at = 0; at < pattern.size();) {
    const size_t begin = at;
    next_character(pattern, at);
    const std::string_view character = pattern.substr(begin, at - begin);
    const bool is_grouped = character.size() > 1 && at < pattern.size() && pattern[at] == '?';
    text += is_grouped ? fmt::format("(?:{})", character) : std::string(character);
  }
  return std::regex(text, std::regex::ECMAScript | std::regex::icase);
}

std::string trimmed(std::string_view text) {
  for (bool cut = true; cut;) {
    cut = false;
    for (const std::string_view end : {" ", "\t", "\n", ",", ".", "!", "?", ";", "。", "、", ":"}) {
      if (text.ends_with(end)) text.remove_suffix(end.size()), cut = true;
    }
    for (const std::string_view begin : {" ", "\t", "\n", ",", "、", ":"}) {
      if (text.starts_with(begin)) text.remove_prefix(begin.size()), cut = true;
    }
  }
  return std::string(text);
}

Request::Request(std::string_view text) {
  constexpr std::array<std::pair<const char*, const char*>, 5> kQuotes = {
      {{"“", "”"}, {"「", "」"}, {"‘", "’"}, {"\"", "\""}, {"'", "'"}}};
  std::string rest;
  for (size_t at = 0; at < text.size();) {
    bool found = false;
    for (const auto& [open, close] : kQuotes) {
      const std::string_view begin = open, end = close;
      if (!text.substr(at).starts_with(begin)) continue;
      // An apostrophe within a word opens nothing.
      if (begin == "'" && at > 0 && std::isalpha(static_cast<unsigned char>(text[at - 1])) != 0) continue;
      const size_t stop = text.find(end, at + begin.size());
      if (stop == text.npos || quoted.size() > 8) continue;
      quoted.emplace_back(text.substr(at + begin.size(), stop - at - begin.size()));
      rest += fmt::format("\x01{}", quoted.size() - 1);
      at = stop + end.size();
      found = true;
      break;
    }
    if (!found) rest += text[at++];
  }
  words = nfkc(rest);
}

std::string Request::text_of(std::string_view piece) const {
  std::string result;
  const std::string inner = trimmed(piece);
  for (size_t i = 0; i < inner.size(); ++i) {
    const bool is_mark = inner[i] == '\x01' && i + 1 < inner.size();
    const auto number = is_mark ? static_cast<size_t>(inner[i + 1] - '0') : quoted.size();
    if (number < quoted.size()) {
      result += quoted[number];
      ++i;
    } else {
      result += inner[i];
    }
  }
  return result;
}

Json Selection::step(const char* operation, const char* path_field) const {
  Json step = {{"operation", operation}};
  if (!path.empty()) {
    step[path_field] = path;
  } else {
    step["pattern"] = pattern;
    if (!filters.empty()) step["filters"] = filters;
  }
  return step;
}

bool Files::has_folder(std::string_view path) const {
  return std::any_of(listing_.begin(), listing_.end(), [&](const std::string& each) {
    return each.size() > path.size() && each[path.size()] == '/' && each.starts_with(path);
  });
}

std::vector<std::string> Files::files_in(std::string_view folder) const {
  std::vector<std::string> files;
  for (const std::string& each : listing_) {
    if (!each.ends_with('/') && is_within(each, folder)) files.push_back(each);
  }
  return files;
}

std::optional<std::string> Files::find_where(std::string_view name, bool folder) const {
  std::set<std::string> exact, by_name, by_stem;
  const std::string wanted = folded(name);
  for (std::string path : listing_) {
    const bool is_folder = path.ends_with('/');
    if (is_folder) path.pop_back();
    // Of "docs/a.md" a listing may name the file alone.
    for (std::string_view each = path; !each.empty(); each = parent_of(each)) {
      if (folder != (is_folder || each.size() < path.size())) continue;
      const std::string_view base = base_name(each);
      if (each == name) exact.emplace(each);
      if (folded(base) == wanted) by_name.emplace(each);
      if (folded(base.substr(0, base.size() - extension_of(base).size())) == wanted) by_stem.emplace(each);
    }
  }
  for (const auto* found : {&exact, &by_name, &by_stem}) {
    if (found->size() == 1) return *found->begin();
    // Names that differ in case alone are told apart by case.
    std::vector<std::string> same;
    std::copy_if(found->begin(), found->end(), std::back_inserter(same),
                 [&](const std::string& path) { return base_name(path) == name; });
    if (same.size() == 1) return same.front();
    if (!found->empty()) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> Files::find(std::string_view given) const {
  std::string name = trimmed(given);
  while (name.ends_with('/')) name.pop_back();
  if (name.empty()) return std::nullopt;
  if (auto file = find_where(name, false)) return file;
  return find_where(name, true);
}

std::optional<std::string> Files::find_folder(std::string_view given) const {
  static const std::regex noise = words("^(?:the |my )?(.*?)(?: folder| directory|目录|文件夹)?$");
  std::string name = trimmed(given);
  std::smatch match;
  if (std::regex_match(name, match, noise)) name = trimmed(match[1].str());
  while (name.ends_with('/')) name.pop_back();
  return name.empty() ? std::nullopt : find_where(name, true);
}

// Takes every condition out of a phrase. Returns false if one of them makes no sense.
bool Files::take_conditions(const Request& request, std::string& phrase, Json& filters) const {
  static const std::regex larger =
      words("(?:超过|大于|larger than|bigger than|over|above) ?([0-9.]+ ?[kmgt]?i?b?) ?的?");
  static const std::regex smaller = words("(?:小于|不到|smaller than|under) ?([0-9.]+ ?[kmgt]?i?b?) ?的?");
  static const std::regex days = words(
      "(?:older than )?([0-9]+) ?(天|周|个月|年|days?|weeks?|months?|years?) "
      "?(?:之前|以前|前|没动过|没动|old|ago)?的?");
  static const std::regex before_month = words("([0-9]{1,2}) ?月份?(?:以前|之前)(?:下载|修改|创建)?的?");
  static const std::regex in_month = words("([0-9]{1,2}) ?月份?的");
  static const std::regex in_year = words("([0-9]{4}) ?年的|from ([0-9]{4})");
  static const std::regex contains = words(
      "(?:提到|包含|含有|内容有|that mention|mentioning|mention|that contain|containing|contain) ?(\x01[0-9]|[^ "
      ",]+?)(?:的|$)");
  static const std::regex named = words("(?:名字|文件名)(?:里|中)?(?:有|含有|包含) ?(\x01[0-9]|[^ ,]+?)的");
  std::smatch match;
  const auto take = [&](const std::regex& regex) {
    if (!std::regex_search(phrase, match, regex)) return false;
    phrase = std::string(match.prefix()) + std::string(match.suffix());
    return true;
  };
  const auto value = [&](size_t group) { return match[group].str(); };
  const std::tm today = date_of(now_);
  const int year = today.tm_year + 1900;
  // The first capture is copied before the phrase that it points into changes.
  const auto find = [&](const std::regex& regex, auto use) {
    if (!std::regex_search(phrase, match, regex)) return;
    use();
    take(regex);
  };
  find(contains, [&] { filters["contains"] = request.text_of(value(1)); });
  find(named, [&] { filters["name_contains"] = request.text_of(value(1)); });
  find(larger, [&] { filters["larger_than"] = trimmed(value(1)); });
  find(smaller, [&] { filters["smaller_than"] = trimmed(value(1)); });
  find(before_month, [&] { filters["older_than"] = first_of(year, std::stoi(value(1))); });
  find(in_month, [&] {
    filters["newer_than"] = first_of(year, std::stoi(value(1)));
    filters["older_than"] = first_of(year, std::stoi(value(1)) + 1);
  });
  find(in_year, [&] {
    const int of = std::stoi(value(1) + value(2));
    filters["newer_than"] = first_of(of, 1);
    filters["older_than"] = first_of(of + 1, 1);
  });
  if (!filters.contains("older_than")) {
    find(days, [&] {
      const std::string unit = value(2);
      const char* letter = unit.starts_with("天") || unit.starts_with("day")    ? "d"
                           : unit.starts_with("周") || unit.starts_with("week") ? "w"
                           : unit.starts_with("年") || unit.starts_with("year") ? "y"
                                                                                : "m";
      filters["older_than"] = value(1) + letter;
    });
  }
  if (!filters.empty() && !filters.contains("name_contains")) filters["type"] = "file";
  return true;
}

Json Files::extensions_of(const std::string& noun) {
  for (const Kind& kind : kinds()) {
    if (std::regex_match(noun, words(kind.words))) return kind.extensions;
  }
  return {};
}

// What a noun means: a glob for names, with filters.
bool Files::name_kind(const std::string& what, Selection& selection) const {
  static const std::regex nothing = words(std::string("^(?:所有|全部|all |every |the )?的?") + kFiles + "$");
  static const std::regex extension =
      words("^(?:所有的? ?|全部的? ?|all |every |the )?(?:\\*?\\.)?([a-z0-9]{1,5})(?: ?files?| ?文件| ?的文件)?$");
  static const std::regex with_noun = words("^(?:all |every |the )?([a-z0-9]{2,5}) [a-z]+$");
  static const std::regex strip = words("^(?:所有的? ?|全部的? ?|all |every |the )?(.*?)(?:文件)?$");
  std::smatch match;
  if (std::regex_match(what, nothing)) {
    selection.pattern = "*";
    return true;
  }
  const auto known = [this](const std::string& name) {
    static const std::set<std::string> usual = {"tmp", "log", "txt", "md",  "pdf", "docx",
                                                "csv", "jpg", "png", "zip", "bak"};
    const std::string ending = "." + folded(name);
    return usual.contains(folded(name)) || std::any_of(listing_.begin(), listing_.end(), [&](const std::string& path) {
             return folded(path).ends_with(ending);
           });
  };
  const bool by_noun = std::regex_match(what, match, with_noun) && known(match[1].str()) && match[1].str() != "log";
  if (by_noun) selection.is_sure = false;
  if (by_noun || (std::regex_match(what, match, extension) && known(match[1].str()))) {
    selection.pattern = "*." + match[1].str();
    return true;
  }
  std::regex_match(what, match, strip);
  const std::string noun = trimmed(match[1].str());
  if (Json extensions = extensions_of(noun); !extensions.is_null()) {
    selection.pattern = "*";
    selection.filters["ext"] = std::move(extensions);
    return true;
  }
  if (std::regex_match(noun, words("截图|屏幕截图|screenshots?"))) {
    const bool chinese = std::any_of(listing_.begin(), listing_.end(),
                                     [](const std::string& path) { return path.find("截图") != path.npos; });
    selection.pattern = "*";
    selection.filters["name_contains"] = chinese ? "截图" : "screenshot";
    return true;
  }
  if (noun.find_first_of("*?") != noun.npos && noun.find(' ') == noun.npos) {
    selection.pattern = noun;
    return true;
  }
  return false;
}

std::optional<Selection> Files::select(const Request& request, std::string phrase) const {
  static const std::regex chinese_place = words("^(.+?) ?(?:目录|文件夹)?(?:里面|里|中|下面|下|内)的?(.*)$");
  static const std::regex english_place = words("^(.*?) ?(?:\\b(?:from|in|inside|under|of)) (.+)$");
  static const std::regex noise =
      words("^(?:所有的?|全部的?|整个|那个|这个|the |all of )?(.*?)(?:目录|文件夹| folder| directory)?$");
  Selection selection;
  phrase = trimmed(phrase);
  // A name that exists is that, whatever else it could mean.
  std::smatch match;
  std::regex_match(phrase, match, noise);
  for (const std::string& name : {request.text_of(phrase), request.text_of(match[1].str())}) {
    if (const auto path = find(name)) {
      selection.path = *path;
      selection.is_folder = has_folder(*path);
      return selection;
    }
  }
  take_conditions(request, phrase, selection.filters);
  phrase = trimmed(phrase);
  std::string folder, what = phrase;
  bool anywhere = true;
  for (const auto& [regex, place, rest] : {std::tuple{&chinese_place, 1, 2}, {&english_place, 2, 1}}) {
    if (!std::regex_match(phrase, match, *regex)) continue;
    const auto found = find_folder(request.text_of(match[static_cast<size_t>(place)].str()));
    if (!found) continue;
    folder = *found;
    what = trimmed(match[static_cast<size_t>(rest)].str());
    anywhere = false;
    break;
  }
  // "docs 里的 readme.md"
  if (!anywhere && selection.filters.empty() && !what.empty()) {
    const std::string path = joined(folder, request.text_of(what));
    if (find(path) == path) {
      selection.path = path;
      selection.is_folder = has_folder(path);
      return selection;
    }
  }
  if (anywhere) {
    // "10 月的照片" are in the folder that has that name.
    for (const auto& [noun, names] :
         {std::pair{"照片|相片|图片|photos?|pictures?", std::array{"photos", "照片", "图片", "pictures"}},
          {"视频|videos?", {"videos", "视频", "movies", "影片"}}}) {
      if (selection.filters.empty() || !std::regex_match(what, words(noun))) continue;
      for (const char* name : names) {
        if (anywhere && has_folder(name)) folder = name, anywhere = false;
      }
    }
    // "会议纪要": a folder whose name the word begins with.
    for (const char* ending : {"纪要", "记录", "文件"}) {
      if (!what.ends_with(ending)) continue;
      if (const auto found = find_folder(what.substr(0, what.size() - std::string(ending).size())))
        folder = *found, what = "", anywhere = false;
    }
  }
  if (!name_kind(what, selection)) return std::nullopt;
  if (selection.pattern.find('/') == std::string::npos) {
    selection.pattern = anywhere ? "**/" + selection.pattern : joined(folder, selection.pattern);
  }
  return selection;
}

}  // namespace tinyllm::agent

#include <tinyllm/runtime/agent/selection.h>

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>

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

Files::Files(const std::vector<std::string>& listing, int64_t now) : now_(now) {
  for (std::string_view path : listing) {
    bool is_folder = path.ends_with('/');
    if (is_folder) path.remove_suffix(1);
    // Of "docs/a.md" a listing may name the file alone.
    for (; !path.empty() && paths_.emplace(path, is_folder).second; path = parent_of(path), is_folder = true) {
      const std::string_view name = base_name(path), extension = extension_of(name);
      by_name_[folded(name)].emplace_back(path);
      if (extension.empty()) continue;
      by_stem_[folded(name.substr(0, name.size() - extension.size()))].emplace_back(path);
      if (!is_folder) extensions_.insert(folded(extension));
    }
  }
}

bool Files::has_folder(std::string_view path) const {
  const auto found = paths_.find(path);
  return found != paths_.end() && found->second;
}

// What a name can mean: those that have all of it, and whatever competes with them.
std::vector<std::string> Files::candidates(std::string_view given, Wanted wanted) const {
  std::string name = trimmed(given);
  while (name.ends_with('/')) name.pop_back(), wanted = Wanted::folder;
  if (name.empty()) return {};
  const auto all_of = [&](const auto& index, const std::string& key) {
    std::vector<std::string> paths;
    const auto found = index.find(key);
    if (found == index.end()) return paths;
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(paths),
                 [&](const std::string& path) { return wanted == Wanted::any || has_folder(path); });
    return paths;
  };
  const auto keep = [](std::vector<std::string>& paths, auto holds) {
    std::erase_if(paths, [&](const std::string& path) { return !holds(path); });
  };
  const std::string_view base = base_name(name);
  std::vector<std::string> rivals;
  if (wanted == Wanted::any && extension_of(base).empty()) rivals = all_of(by_stem_, folded(base));
  if (exists(name) && (wanted == Wanted::any || has_folder(name))) {
    keep(rivals, [&](const std::string& path) { return parent_of(path) == parent_of(name); });
    rivals.insert(rivals.begin(), name);
    return rivals;
  }
  std::vector<std::string> named = all_of(by_name_, folded(name));
  if (named.empty()) return all_of(by_stem_, folded(name));
  // Names that differ in case alone are told apart by case.
  std::vector<std::string> same = named;
  keep(same, [&](const std::string& path) { return base_name(path) == name; });
  if (same.size() == 1) named = same;
  named.insert(named.end(), rivals.begin(), rivals.end());
  return named;
}

std::optional<std::string> Files::find(std::string_view name) const {
  const std::vector<std::string> found = candidates(name, Wanted::any);
  return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
}

std::optional<std::string> Files::find_folder(std::string_view given) const {
  static const std::regex noise = words("^(?:the |my )?(.*?)(?: folder| directory|目录|文件夹)?$");
  std::string name = trimmed(given);
  std::smatch match;
  if (std::regex_match(name, match, noise)) name = trimmed(match[1].str());
  const std::vector<std::string> found = candidates(name, Wanted::folder);
  return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
}

Json Files::extensions_of(const std::string& noun) {
  for (const Kind& kind : kinds()) {
    if (std::regex_match(noun, words(kind.words))) return kind.extensions;
  }
  return {};
}

// How far "pdf invoices" means all PDF files of a folder: certainly if the noun is a kind that has them, likely if one
// of them has the noun in its name.
Selection::Certainty Files::certainty_of(const std::string& noun, const std::string& extension,
                                         const std::string& folder) const {
  const Json kind = extensions_of(noun);
  if (std::find(kind.begin(), kind.end(), extension) != kind.end()) return Selection::Certainty::sure;
  const std::string_view word = std::string_view(noun).substr(0, noun.size() - (noun.ends_with('s') ? 1 : 0));
  const bool is_named = std::any_of(by_name_.begin(), by_name_.end(), [&](const auto& entry) {
    const auto& [name, paths] = entry;
    return name.ends_with("." + extension) && name.find(word) != name.npos &&
           std::any_of(paths.begin(), paths.end(),
                       [&](const std::string& path) { return folder.empty() || is_within(path, folder); });
  });
  return is_named ? Selection::Certainty::likely : Selection::Certainty::guessed;
}

// What a noun means: a glob for names, with filters.
bool Files::name_kind(const std::string& what, const std::string& folder, Selection& selection) const {
  static const std::regex nothing = words(std::string("^(?:所有|全部|all |every |the )?的?") + kFiles + "$");
  static const std::regex extension =
      words("^(?:所有的? ?|全部的? ?|all |every |the )?(?:\\*?\\.)?([a-z0-9]{1,5})(?: ?files?| ?文件| ?的文件)?$");
  static const std::regex with_noun = words("^(?:all |every |the )?([a-z0-9]{2,5}) ([a-z]+)$");
  static const std::regex strip = words("^(?:所有的? ?|全部的? ?|all |every |the )?(.*?)(?:文件)?$");
  static const std::set<std::string> usual = {"tmp", "log", "txt", "md",  "pdf", "docx",
                                              "csv", "jpg", "png", "zip", "bak"};
  std::smatch match;
  if (std::regex_match(what, nothing)) {
    selection.pattern = "*";
    return true;
  }
  const bool is_plain = std::regex_match(what, match, extension);
  if (is_plain || std::regex_match(what, match, with_noun)) {
    const std::string ending = folded(match[1].str());
    if ((usual.contains(ending) || extensions_.contains("." + ending)) && (is_plain || ending != "log")) {
      if (!is_plain)
        selection.certainty = std::min(selection.certainty, certainty_of(folded(match[2].str()), ending, folder));
      selection.pattern = "*";
      selection.filters["ext"] = Json::array({ending});  // Without case, unlike a glob.
      return true;
    }
  }
  std::regex_match(what, match, strip);
  const std::string noun = trimmed(match[1].str());
  if (Json extensions = extensions_of(noun); !extensions.is_null()) {
    // All photos of a folder, or of all folders.
    if (folder.empty()) selection.certainty = std::min(selection.certainty, Selection::Certainty::likely);
    selection.pattern = "*";
    selection.filters["ext"] = std::move(extensions);
    return true;
  }
  if (std::regex_match(noun, words("截图|屏幕截图|screenshots?"))) {
    const bool chinese = std::any_of(paths_.begin(), paths_.end(),
                                     [](const auto& entry) { return entry.first.find("截图") != std::string::npos; });
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

// A name that exists is that, whatever else it could mean.
std::optional<Selection> Files::select_named(const Request& request, const std::string& phrase,
                                             bool& is_ambiguous) const {
  static const std::regex noise =
      words("^(?:所有的?|全部的?|整个|那个|这个|the |all of )?(.*?)(目录|文件夹| folder| directory)?$");
  std::smatch match;
  std::regex_match(phrase, match, noise);
  const auto wanted = match[2].matched ? Wanted::folder : Wanted::any;
  for (const auto& [name, kind] :
       {std::pair{request.text_of(phrase), Wanted::any}, {request.text_of(match[1].str()), wanted}}) {
    const std::vector<std::string> found = candidates(name, kind);
    is_ambiguous = is_ambiguous || found.size() > 1;
    if (found.size() != 1) continue;
    Selection selection;
    selection.path = found.front();
    selection.is_folder = has_folder(selection.path);
    // "app" is app.log for sure only if no other name begins so.
    const std::string word = folded(base_name(name));
    auto begins = by_name_.lower_bound(word);
    if (!name.ends_with('/') && folded(base_name(selection.path)) != word && begins != by_name_.end() &&
        (begins->second.size() > 1 || (++begins != by_name_.end() && begins->first.starts_with(word)))) {
      selection.certainty = Selection::Certainty::guessed;
    }
    return selection;
  }
  return std::nullopt;
}

std::optional<Selection> Files::select(const Request& request, std::string phrase) const {
  static const std::regex chinese_place = words("^(.+?) ?(?:目录|文件夹)?(?:里面|里|中|下面|下|内)的?(.*)$");
  static const std::regex english_place = words("^(.*?) ?(?:\\b(?:from|in|inside|under|of)) (.+)$");
  phrase = trimmed(phrase);
  bool is_ambiguous = false;
  if (auto named = select_named(request, phrase, is_ambiguous)) return named;
  Selection selection;
  if (is_ambiguous) selection.certainty = Selection::Certainty::guessed;
  if (!take_conditions(request, phrase, selection.filters)) return std::nullopt;
  phrase = trimmed(phrase);
  std::smatch match;
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
    if (exists(path)) {
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
    for (const auto& [ending, certainty] : {std::pair{"纪要", Selection::Certainty::likely},
                                            {"记录", Selection::Certainty::likely},
                                            {"文件", Selection::Certainty::guessed}}) {
      if (!what.ends_with(ending)) continue;
      if (const auto found = find_folder(what.substr(0, what.size() - std::string(ending).size())))
        folder = *found, what = "", anywhere = false, selection.certainty = certainty;
    }
  }
  if (!name_kind(what, folder, selection)) return std::nullopt;
  if (selection.pattern.find('/') == std::string::npos) {
    selection.pattern = anywhere ? "**/" + selection.pattern : joined(folder, selection.pattern);
  }
  return selection;
}

}  // namespace tinyllm::agent

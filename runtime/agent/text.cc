#include <tinyllm/runtime/agent/text.h>

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/counted.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

namespace tinyllm::agent {
namespace {

using Converter = std::unique_ptr<UConverter, void (*)(UConverter*)>;

// Fails at what it cannot convert, instead of writing a substitute.
Converter strict_converter(const char* encoding) {
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(encoding, &status), ucnv_close);
  if (U_SUCCESS(status)) {
    ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  }
  if (U_SUCCESS(status)) {
    ucnv_setFromUCallBack(converter.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  }
  if (U_FAILURE(status)) throw AgentError(Code::encoding, "{}: cannot be read: {}", encoding, u_errorName(status));
  return converter;
}

std::optional<std::string> from_gb18030(std::string_view bytes) {
  const Converter converter = strict_converter("gb18030");
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString text(bytes.data(), static_cast<int32_t>(bytes.size()), converter.get(), status);
  if (U_FAILURE(status)) return std::nullopt;
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

// The bytes before the line in which a tag belongs: a byte order mark, and front matter between two lines of ---.
size_t begin_of_body(std::string_view text) {
  const size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const std::string_view body = text.substr(begin);
  if (!body.starts_with("---\n") && !body.starts_with("---\r\n")) return begin;
  for (size_t at = body.find('\n') + 1; at < body.size();) {
    const size_t end = std::min(body.find('\n', at), body.size());
    const std::string_view line = body.substr(at, end - at);
    at = std::min(end + 1, body.size());
    if (line == "---" || line == "---\r") return begin + at;
  }
  return begin;
}

}  // namespace

std::string decoded(std::string_view bytes, std::string_view encoding, std::string_view name) {
  if (encoding == "gb18030") {
    if (auto text = from_gb18030(bytes)) return *text;
    throw AgentError(Code::encoding, "{}: is not GB18030", escaped(name));
  }
  if (looks_binary(bytes)) throw AgentError(Code::encoding, "{}: is binary, expected text", escaped(name));
  const size_t valid = valid_utf8(bytes);
  if (valid != bytes.size()) {
    const bool is_gb = from_gb18030(bytes).has_value();
    throw AgentError(Code::encoding, "{}: byte {} is not UTF-8{}", escaped(name), valid + 1,
                     is_gb ? "; if it is GBK or GB18030, give \"encoding\": \"gb18030\"" : "");
  }
  return std::string(bytes);
}

std::string encoded(std::string_view text, std::string_view encoding, std::string_view name) {
  if (encoding != "gb18030") return std::string(text);
  const Converter converter = strict_converter("gb18030");
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  std::string bytes(4 * static_cast<size_t>(wide.length()) + 4, '\0');
  UErrorCode status = U_ZERO_ERROR;
  const int32_t size = ucnv_fromUChars(converter.get(), bytes.data(), static_cast<int32_t>(bytes.size()),
                                       wide.getBuffer(), wide.length(), &status);
  if (U_FAILURE(status)) {
    throw AgentError(Code::encoding, "{}: cannot be written in GB18030: {}", escaped(name), u_errorName(status));
  }
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

std::string edited(std::string text, const std::vector<Edit>& edits, std::string_view name,
                   std::vector<std::string>& notes) {
  for (const Edit& edit : edits) {
    switch (edit.kind) {
      case Edit::Kind::set:
        text = edit.with;
        break;
      case Edit::Kind::append:
        text += edit.with;
        break;
      case Edit::Kind::prepend:
        text.insert(0, edit.with);
        break;
      case Edit::Kind::replace: {
        std::string result;
        int64_t done = 0, left = 0;
        for (size_t at = 0;;) {
          const size_t found = text.find(edit.find, at);
          const bool replaces = found != text.npos && (edit.count == 0 || done < edit.count);
          result.append(text, at, std::min(found, text.size()) - at);
          if (found == text.npos) break;
          result += replaces ? edit.with : edit.find;
          ++(replaces ? done : left);
          at = found + edit.find.size();
        }
        if (done == 0) {
          throw AgentError(Code::not_found, "{}: has no text \"{}\" to replace", escaped(name),
                           escaped(edit.find.substr(0, character_cut(edit.find, 60))));
        }
        if (left > 0)
          notes.push_back(fmt::format("{}: leaves {} with that text", escaped(name), counted(left, "more place")));
        text = std::move(result);
      }
    }
  }
  return text;
}

std::optional<std::string> tagged(std::string_view text, std::string_view tag) {
  const size_t begin = begin_of_body(text);
  const std::string mark = fmt::format("[{}]", tag);
  size_t end = std::min(text.find('\n', begin), text.size());
  const bool has_return = end > begin && text[end - 1] == '\r';
  if (has_return) --end;
  const std::string_view line = text.substr(begin, end - begin);
  std::string result(text);
  if (!line.starts_with("# ")) {
    const size_t other = text.find('\n');
    const bool returns = other != text.npos && other > 0 && text[other - 1] == '\r';
    result.insert(begin, fmt::format("# {}{}", mark, returns ? "\r\n" : "\n"));
    return result;
  }
  // Tags are at the end of the heading.
  for (std::string_view rest = line; rest.ends_with(']');) {
    if (rest.ends_with(mark)) return std::nullopt;
    const size_t open = rest.rfind('[');
    if (open == rest.npos) break;
    rest = rest.substr(0, open);
    while (rest.ends_with(' ')) rest.remove_suffix(1);
  }
  result.insert(end, " " + mark);
  return result;
}

bool looks_binary(std::string_view beginning) { return beginning.substr(0, 8192).find('\0') != std::string_view::npos; }

bool text_contains(std::string_view beginning, std::string_view word) {
  if (looks_binary(beginning)) return false;
  // The last character may be cut, of up to four bytes.
  const size_t invalid = beginning.size() - valid_utf8(beginning);
  const bool is_utf8 = invalid == 0 || (beginning.size() == kSearched && invalid < 4);
  if (is_utf8) return beginning.find(word) != std::string_view::npos;
  for (size_t cut = 0; cut < 4 && cut < beginning.size(); ++cut) {
    if (const auto text = from_gb18030(beginning.substr(0, beginning.size() - cut))) {
      return text->find(word) != std::string::npos;
    }
  }
  return false;
}

}  // namespace tinyllm::agent

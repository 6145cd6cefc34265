#pragma once

#include <tinyllm/model/text/jinja/characters.h>
#include <tinyllm/model/text/jinja/value.h>

#include <string>

namespace tinyllm::jinja {

/// What repr() and json.dumps have in common: prints values into a text. Brackets and separators have the origin of
/// their list or dict; an escaped character has that of the character.
class Printer {
 public:
  void append(const Value& value, Origin origin) {
    budget_.step();
    if (const Text* text = text_in(value)) {
      string(*text, origin);
    } else if (const List* list = list_in(value)) {
      this->list(*list);
    } else if (const Dict* dict = dict_in(value)) {
      this->dict(*dict);
    } else {
      out_.append(scalar(value), origin);
    }
  }

 protected:
  Printer(Text& out, Budget& budget) : out_(out), budget_(budget) {}
  ~Printer() = default;

  void string(const Text& text, Origin origin) {
    budget_.read(text.size());
    const std::string_view bytes = text.bytes();
    const char quote = quote_of(bytes);
    out_.append({&quote, 1}, origin);
    for (size_t at = 0; at < bytes.size();) {
      const size_t begin = at;
      const std::string escaped = escape(next_character(bytes, at), quote);
      out_.append(escaped.empty() ? bytes.substr(begin, at - begin) : escaped, text.origin_at(begin));
    }
    out_.append({&quote, 1}, origin);
  }

  virtual void list(const List& list) = 0;
  virtual void dict(const Dict& dict) = 0;
  virtual std::string scalar(const Value& value) const = 0;
  virtual char quote_of(std::string_view text) const = 0;
  /// Empty if the character needs no escape.
  virtual std::string escape(char32_t c, char quote) const = 0;

  Text& out_;
  Budget& budget_;
};

}  // namespace tinyllm::jinja

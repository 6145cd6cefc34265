#include <tinyllm/runtime/documents/common_characters.h>
#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <simdjson.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tinyllm::documents {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

struct Known {
  Encoding encoding;
  std::string_view name;
  const char* converter;  // ICU's name.
  std::string_view mark;
};

constexpr std::array kKnown = {
    Known{Encoding::utf8, "UTF-8", "UTF-8", kUtf8Mark},
    Known{Encoding::utf16le, "UTF-16LE", "UTF-16LE", "\xFF\xFE"},
    Known{Encoding::utf16be, "UTF-16BE", "UTF-16BE", "\xFE\xFF"},
    Known{Encoding::gb18030, "GB18030", "gb18030", "\x84\x31\x95\x33"},
    Known{Encoding::big5, "Big5", "Big5-HKSCS", ""},
    Known{Encoding::windows1252, "windows-1252", "windows-1252", ""},
    Known{Encoding::binary, "binary", nullptr, ""},
};

const Known& known(Encoding encoding) { return kKnown[static_cast<size_t>(encoding)]; }

// Bytes of characters other than ASCII that are UTF-8 and that are not. A character cut off at the end is neither.
struct Utf8Bytes {
  int64_t valid = 0;
  int64_t invalid = 0;
};

Utf8Bytes count_utf8(std::string_view text) {
  Utf8Bytes bytes;
  const uint8_t* data = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<std::ptrdiff_t>(text.size());
  for (std::ptrdiff_t i = 0; i < size;) {
    const std::ptrdiff_t from = i;
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    if (c >= 0x80) bytes.valid += i - from;
    if (c < 0 && i < size) bytes.invalid += i - from;
  }
  return bytes;
}

// The fraction of bytes that are control characters which do not occur in texts.
double control_share(std::string_view text) {
  constexpr uint32_t kInTexts = 1U << '\t' | 1U << '\n' | 1U << '\v' | 1U << '\f' | 1U << '\r' | 1U << 0x1B;
  const auto is_control = [](char c) { return c == 0x7F || (c >= 0 && c < ' ' && (~kInTexts >> c & 1) != 0); };
  return static_cast<double>(std::count_if(text.begin(), text.end(), is_control)) / static_cast<double>(text.size());
}

// The fraction of common characters among those that are not ASCII, if the text is in this encoding.
double common_share(std::string_view sample, Encoding encoding) {
  std::string text;
  Decoder(encoding).decode(sample, text);
  const bool wide = encoding == Encoding::utf16le || encoding == Encoding::utf16be;
  const CommonCharacters& characters = common_characters();
  int64_t common = 0;
  int64_t all = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c < 0x80 && !wide) continue;
    ++all;
    if (characters.has(c)) ++common;
  }
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

struct Guess {
  Encoding encoding;
  double share;
};

Guess best_of(std::string_view sample, std::initializer_list<Encoding> encodings) {
  Guess best{Encoding::binary, -1};
  for (const Encoding encoding : encodings) {
    const double share = common_share(sample, encoding);
    if (share > best.share) best = {encoding, share};
  }
  return best;
}

// Appends the text with U+FFFD for what is not UTF-8; returns how many bytes that was.
int64_t append_repaired(std::string_view chunk, std::string& text) {
  int64_t undecodable = 0;
  const uint8_t* data = reinterpret_cast<const uint8_t*>(chunk.data());
  const auto size = static_cast<std::ptrdiff_t>(chunk.size());
  for (std::ptrdiff_t i = 0; i < size;) {
    const std::ptrdiff_t from = i;
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    if (c < 0) {
      undecodable += i - from;
      text += kReplacement;
    } else {
      text.append(chunk, static_cast<size_t>(from), static_cast<size_t>(i - from));
    }
  }
  return undecodable;
}

// ICU calls this for what it cannot decode.
void replace_and_count(const void* count, UConverterToUnicodeArgs* args, const char*, int32_t length,
                       UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;  // The converter is reset or closed.
  *static_cast<int64_t*>(const_cast<void*>(count)) += length;
  constexpr char16_t kSubstitute = 0xFFFD;
  *error = U_ZERO_ERROR;
  ucnv_cbToUWriteUChars(args, &kSubstitute, 1, 0, error);
}

}  // namespace

std::string_view encoding_name(Encoding encoding) { return known(encoding).name; }

Encoding detect_encoding(std::string_view beginning) {
  constexpr size_t kEnough = size_t{64} << 10;
  constexpr size_t kTelling = size_t{4} << 10;
  constexpr double kTooManyControls = 0.05;
  constexpr double kReadable = 0.6;  // In the right encoding, nine tenths or more are common.
  const std::string_view sample = beginning.substr(0, kEnough);
  if (sample.empty()) return Encoding::utf8;
  for (const Known& k : kKnown) {
    if (!k.mark.empty() && sample.starts_with(k.mark)) return k.encoding;
  }
  const bool has_controls = control_share(sample) > kTooManyControls;
  // ASCII in UTF-16 is half NULs, which is valid UTF-8.
  if (has_controls) {
    const Guess guess = best_of(sample.substr(0, kTelling), {Encoding::utf16le, Encoding::utf16be});
    return guess.share > kReadable ? guess.encoding : Encoding::binary;
  }
  const Utf8Bytes utf8 = count_utf8(sample);
  if (utf8.valid >= 9 * utf8.invalid) return Encoding::utf8;
  // From the first byte beyond ASCII; UTF-16 stays in step.
  const auto first = std::find_if(sample.begin(), sample.end(), [](char c) { return (c & 0x80) != 0; });
  const std::string_view telling = sample.substr(static_cast<size_t>(first - sample.begin()) & ~size_t{1}, kTelling);
  const Guess guess =
      best_of(telling, {Encoding::utf8, Encoding::gb18030, Encoding::big5, Encoding::utf16le, Encoding::utf16be});
  if (guess.share > kReadable) return guess.encoding;
  // Most Latin letters of such texts are ASCII.
  const bool sparse = utf8.invalid + utf8.valid < static_cast<int64_t>(sample.size()) / 3;
  return sparse ? Encoding::windows1252 : Encoding::binary;
}

void Decoder::Close::operator()(UConverter* converter) const { ucnv_close(converter); }

Decoder::Decoder(Encoding encoding) {
  if (encoding == Encoding::binary) throw Error("decoder: binary data are not text");
  if (encoding == Encoding::utf8) return;
  UErrorCode error = U_ZERO_ERROR;
  converter_.reset(ucnv_open(known(encoding).converter, &error));
  if (U_FAILURE(error))
    throw Error("decoder: ICU has no converter for {}: {}", encoding_name(encoding), u_errorName(error));
  ucnv_setToUCallBack(converter_.get(), replace_and_count, &undecodable_, nullptr, nullptr, &error);
}

Decoder::~Decoder() = default;

void Decoder::decode(std::string_view chunk, std::string& text) {
  const size_t from = text.size();
  if (converter_) {
    convert(chunk, false, text);
  } else {
    decode_utf8(chunk, text);
  }
  if (!at_beginning_ || text.size() == from) return;
  at_beginning_ = false;
  if (std::string_view(text).substr(from).starts_with(kUtf8Mark)) text.erase(from, kUtf8Mark.size());
}

void Decoder::finish(std::string& text) {
  if (converter_) {
    convert("", true, text);
  } else if (!rest_.empty()) {
    undecodable_ += static_cast<int64_t>(rest_.size());
    text += kReplacement;
    rest_.clear();
  }
}

void Decoder::decode_utf8(std::string_view chunk, std::string& text) {
  std::string joined;
  if (!rest_.empty()) {
    joined = std::exchange(rest_, "").append(chunk);
    chunk = joined;
  }
  auto whole = static_cast<std::ptrdiff_t>(chunk.size());
  U8_TRUNCATE_IF_INCOMPLETE(chunk.data(), 0, whole);
  rest_ = chunk.substr(static_cast<size_t>(whole));
  chunk.remove_suffix(rest_.size());
  if (simdjson::validate_utf8(chunk)) {
    text += chunk;
  } else {
    undecodable_ += append_repaired(chunk, text);
  }
}

void Decoder::convert(std::string_view chunk, bool flush, std::string& text) {
  // A slice becomes at most one UTF-16 unit per byte, plus what ICU kept from the slice before.
  constexpr size_t kSlice = size_t{16} << 10;
  std::array<char16_t, kSlice + 64> units;
  do {
    const std::string_view slice = chunk.substr(0, kSlice);
    chunk.remove_prefix(slice.size());
    const char* source = slice.data();
    char16_t* end = units.data();
    UErrorCode error = U_ZERO_ERROR;
    ucnv_toUnicode(converter_.get(), &end, units.data() + units.size(), &source, source + slice.size(), nullptr,
                   static_cast<UBool>(flush && chunk.empty()), &error);
    const size_t from = text.size();
    const auto count = static_cast<int32_t>(end - units.data());
    text.resize(from + size_t{3} * static_cast<size_t>(count));
    int32_t written = 0;
    u_strToUTF8(text.data() + from, static_cast<int32_t>(text.size() - from), &written, units.data(), count, &error);
    if (U_FAILURE(error)) throw Error("decoder: ICU cannot convert: {}", u_errorName(error));
    text.resize(from + static_cast<size_t>(written));
  } while (!chunk.empty());
}

}  // namespace tinyllm::documents

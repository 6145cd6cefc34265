#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct UConverter;

namespace tinyllm::documents {

/// How the characters of a text file are written as bytes.
enum class Encoding {
  utf8,         ///< Also all of ASCII.
  utf16le,      ///< Low byte first.
  utf16be,      ///< High byte first.
  gb18030,      ///< Also GBK and GB 2312, which it contains.
  big5,         ///< With the characters of Hong Kong.
  windows1252,  ///< Western Europe; also ISO 8859-1.
  binary,       ///< None of these: not text, or not readable.
};

/// As in reports: "UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "Big5", "windows-1252", "binary".
std::string_view encoding_name(Encoding encoding);

/// The encoding of a file that begins with `beginning`, which may end within a character. At most 64 KB are considered.
/// A byte order mark decides. Text that is UTF-8 except for a few bytes is UTF-8. Otherwise the text is decoded in
/// every encoding, and the one is chosen in which most characters are common ones: the first levels of GB 2312 and of
/// Big5, which contain the characters of daily use, punctuation, and ASCII. Other encodings, such as those of Japan and
/// Korea, are not distinguished from these.
Encoding detect_encoding(std::string_view beginning);

/// Turns a file into UTF-8, chunk by chunk. What cannot be decoded becomes U+FFFD. A byte order mark at the beginning
/// is removed. Chunks of valid UTF-8 are copied.
class Decoder {
 public:
  /// Throws Error for Encoding::binary.
  explicit Decoder(Encoding encoding);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Appends the text of the next chunk. A character that is cut at its end is completed by the next chunk.
  void decode(std::string_view chunk, std::string& text);

  /// To be called after the last chunk: appends U+FFFD when that ended within a character.
  void finish(std::string& text);

  /// Bytes that could not be decoded.
  int64_t undecodable() const { return undecodable_; }

 private:
  struct Close {
    void operator()(UConverter* converter) const;
  };

  void decode_utf8(std::string_view chunk, std::string& text);
  void convert(std::string_view chunk, bool flush, std::string& text);

  std::unique_ptr<UConverter, Close> converter_;  // None for UTF-8.
  std::string rest_;  // UTF-8: the beginning of a character that was cut at the end of a chunk.
  bool at_beginning_ = true;
  int64_t undecodable_ = 0;
};

}  // namespace tinyllm::documents

#include <tinyllm/runtime/constraint/json_scalars.h>

#include <tinyllm/runtime/constraint/decimal.h>

#include <algorithm>
#include <string_view>

namespace tinyllm {
namespace {

using Node = JsonGrammar::Node;
using Kind = JsonGrammar::Kind;

bool is_digit(unsigned char byte) { return byte >= '0' && byte <= '9'; }

// ---- Words: `at` is the first of them that begins with the `position` bytes read. ---------------------------------

bool is_alike(const Node& node, const JsonFrame& frame, size_t word) {
  return std::string_view(node.words[word])
      .starts_with(std::string_view(node.words[frame.at]).substr(0, frame.position));
}

ByteEffect read_word(const Node& node, JsonFrame& frame, unsigned char byte) {
  for (size_t i = frame.at; i < node.words.size(); ++i) {
    const std::string& word = node.words[i];
    if (word.size() <= frame.position || static_cast<unsigned char>(word[frame.position]) != byte) continue;
    if (!is_alike(node, frame, i)) continue;
    frame.at = static_cast<uint32_t>(i);
    ++frame.position;
    frame.phase = 1;
    return ByteEffect::moved;
  }
  return ByteEffect::none;
}

int64_t rest_of_word(const Node& node, const JsonFrame& frame) {
  int64_t shortest = JsonGrammar::kNever;
  for (size_t i = frame.at; i < node.words.size(); ++i) {
    const int64_t rest = std::ssize(node.words[i]) - static_cast<int64_t>(frame.position);
    if (rest >= 0 && rest < shortest && is_alike(node, frame, i)) shortest = rest;
  }
  return shortest;
}

// ---- Strings -----------------------------------------------------------------------------------------------------

enum StringPhase : uint16_t {
  kBefore,
  kInside,
  kEscape,    // After a backslash.
  kHex,       // After \u: `position` digits of `at` were read.
  kLowSlash,  // After the high half of a pair.
  kLowU,      // After the backslash of the low half.
  kLowHex,    // As kHex.
  kCharacter  // Within UTF-8: `position` bytes are left; `at` is the lead byte if none was read yet.
};

constexpr uint32_t kHighHalf = 0xD800, kLowHalf = 0xDC00, kAfterHalves = 0xE000;

ByteEffect end_character(const Node& node, JsonFrame& frame) {
  // Without an upper bound, more than the lower bound makes no difference.
  if (node.most != JsonGrammar::kUnlimited || frame.count < node.least) ++frame.count;
  frame.phase = kInside;
  frame.position = frame.at = 0;
  return ByteEffect::moved;
}

ByteEffect go_to(JsonFrame& frame, StringPhase phase, uint32_t position = 0, uint32_t at = 0) {
  frame.phase = phase;
  frame.position = position;
  frame.at = at;
  return ByteEffect::moved;
}

ByteEffect begin_character(const Node& node, JsonFrame& frame, unsigned char byte) {
  if (byte == '"') return frame.count >= node.least ? ByteEffect::ended : ByteEffect::none;
  if (byte < 0x20 || frame.count >= node.most) return ByteEffect::none;
  if (byte == '\\') return go_to(frame, kEscape);
  if (byte < 0x80) return end_character(node, frame);
  if (byte < 0xC2 || byte > 0xF4) return ByteEffect::none;
  return go_to(frame, kCharacter, byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3, byte);
}

// Refuses overlong forms, halves of pairs, and what is above U+10FFFF. Source: Unicode Standard, table 3-7.
ByteEffect continue_character(const Node& node, JsonFrame& frame, unsigned char byte) {
  const unsigned low = frame.at == 0xE0 ? 0xA0 : frame.at == 0xF0 ? 0x90 : 0x80;
  const unsigned high = frame.at == 0xED ? 0x9F : frame.at == 0xF4 ? 0x8F : 0xBF;
  if (byte < low || byte > high) return ByteEffect::none;
  if (frame.position == 1) return end_character(node, frame);
  return go_to(frame, kCharacter, frame.position - 1);
}

ByteEffect read_hex(const Node& node, JsonFrame& frame, unsigned char byte) {
  const unsigned char lower = byte | 32;
  if (!is_digit(byte) && (lower < 'a' || lower > 'f')) return ByteEffect::none;
  const uint32_t unit = frame.at << 4 | static_cast<uint32_t>(is_digit(byte) ? byte - '0' : lower - 'a' + 10);
  const uint32_t digits = frame.position + 1;
  // The range that the unit will be in, whatever follows.
  const uint32_t from = unit << (4 * (4 - digits));
  const uint32_t to = from + (1u << (4 * (4 - digits)));
  if (frame.phase == kLowHex && (to <= kLowHalf || from >= kAfterHalves)) return ByteEffect::none;
  if (frame.phase == kHex && from >= kLowHalf && to <= kAfterHalves) return ByteEffect::none;
  if (digits < 4) return go_to(frame, static_cast<StringPhase>(frame.phase), digits, unit);
  const bool is_high_half = frame.phase == kHex && unit >= kHighHalf && unit < kLowHalf;
  return is_high_half ? go_to(frame, kLowSlash) : end_character(node, frame);
}

ByteEffect read_string(const Node& node, JsonFrame& frame, unsigned char byte) {
  switch (frame.phase) {
    case kBefore:
      return byte == '"' ? go_to(frame, kInside) : ByteEffect::none;
    case kInside:
      return begin_character(node, frame, byte);
    case kEscape:
      if (byte == 'u') return go_to(frame, kHex);
      return std::string_view("\"\\bfnrt").find(static_cast<char>(byte)) != std::string_view::npos
                 ? end_character(node, frame)
                 : ByteEffect::none;
    case kLowSlash:
      return byte == '\\' ? go_to(frame, kLowU) : ByteEffect::none;
    case kLowU:
      return byte == 'u' ? go_to(frame, kLowHex) : ByteEffect::none;
    case kCharacter:
      return continue_character(node, frame, byte);
    default:
      return read_hex(node, frame, byte);
  }
}

int64_t rest_of_string(const Node& node, const JsonFrame& frame) {
  const int64_t missing = std::max<int64_t>(0, node.least - frame.count);
  const int64_t after_this = std::max<int64_t>(0, missing - 1) + 1;  // Once the open character has ended.
  switch (frame.phase) {
    case kBefore:
      return missing + 2;
    case kInside:
      return missing + 1;
    case kEscape:
      return 1 + after_this;
    case kHex: {
      const bool is_high_half = frame.position >= 2 && (frame.at >> (4 * (frame.position - 2))) >= 0xD8 &&
                                (frame.at >> (4 * (frame.position - 2))) <= 0xDB;
      return 4 - frame.position + (is_high_half ? 6 : 0) + after_this;
    }
    case kLowSlash:
      return 6 + after_this;
    case kLowU:
      return 5 + after_this;
    case kLowHex:
      return 4 - frame.position + after_this;
    default:
      return frame.position + after_this;
  }
}

// ---- Numbers: `count` digits of this part were read. ---------------------------------------------------------------

enum NumberPhase : uint16_t { kStart, kMinus, kZero, kWhole, kPoint, kFraction, kExponent, kSign, kPower };

constexpr int64_t kMaxDigits = 16;  // Before and after the point.
constexpr int64_t kMaxPower = 2;    // Digits of the exponent: a double holds all such numbers.

ByteEffect digit_of(JsonFrame& frame, NumberPhase phase, int64_t most) {
  frame.count = frame.phase == phase ? frame.count + 1 : 1;
  frame.phase = phase;
  return frame.count <= most ? ByteEffect::moved : ByteEffect::none;
}

ByteEffect go_to(JsonFrame& frame, NumberPhase phase) {
  frame.phase = phase;
  frame.count = 0;
  return ByteEffect::moved;
}

ByteEffect read_number(JsonFrame& frame, unsigned char byte) {
  const bool has_whole = frame.phase == kZero || frame.phase == kWhole;
  switch (frame.phase) {
    case kStart:
    case kMinus:
      if (byte == '-' && frame.phase == kStart) return go_to(frame, kMinus);
      if (byte == '0') return go_to(frame, kZero);
      return is_digit(byte) ? digit_of(frame, kWhole, kMaxDigits) : ByteEffect::none;
    case kZero:
    case kWhole:
    case kFraction:
      if (byte == '.' && has_whole) return go_to(frame, kPoint);
      if (byte == 'e' || byte == 'E') return go_to(frame, kExponent);
      if (!is_digit(byte) || frame.phase == kZero) return ByteEffect::none;
      return digit_of(frame, static_cast<NumberPhase>(frame.phase), kMaxDigits);
    case kPoint:
      return is_digit(byte) ? digit_of(frame, kFraction, kMaxDigits) : ByteEffect::none;
    default:
      if (frame.phase == kExponent && (byte == '+' || byte == '-')) return go_to(frame, kSign);
      return is_digit(byte) ? digit_of(frame, kPower, kMaxPower) : ByteEffect::none;
  }
}

int64_t rest_of_number(const JsonFrame& frame) {
  return frame.phase == kZero || frame.phase == kWhole || frame.phase == kFraction || frame.phase == kPower ? 0 : 1;
}

DecimalPrefix prefix_of(const JsonFrame& frame) {
  return {static_cast<DecimalPrefix::Part>(frame.phase), frame.at != 0, static_cast<int>(frame.position), frame.count};
}

ByteEffect read_decimal(const Node& node, JsonFrame& frame, unsigned char byte) {
  DecimalPrefix prefix = prefix_of(frame);
  if (!prefix.append(byte)) return ByteEffect::none;
  if (shortest_decimal(node.least, node.most, node.decimals, prefix) >= JsonGrammar::kNever) return ByteEffect::none;
  frame.phase = static_cast<uint16_t>(prefix.part);
  frame.at = prefix.is_negative ? 1 : 0;
  frame.position = static_cast<uint32_t>(prefix.digits);
  frame.count = prefix.magnitude;
  return ByteEffect::moved;
}

}  // namespace

ByteEffect read_scalar(const Node& node, JsonFrame& frame, unsigned char byte) {
  switch (node.kind) {
    case Kind::words:
    case Kind::document:
      return read_word(node, frame, byte);
    case Kind::string:
      return read_string(node, frame, byte);
    case Kind::number:
      return read_number(frame, byte);
    default:
      return read_decimal(node, frame, byte);
  }
}

int64_t shortest_rest(const Node& node, const JsonFrame& frame) {
  switch (node.kind) {
    case Kind::words:
      return rest_of_word(node, frame);
    case Kind::string:
      return rest_of_string(node, frame);
    case Kind::number:
      return rest_of_number(frame);
    default:
      return shortest_decimal(node.least, node.most, node.decimals, prefix_of(frame));
  }
}

bool is_between_characters(const JsonFrame& frame) { return frame.phase == kInside; }

}  // namespace tinyllm

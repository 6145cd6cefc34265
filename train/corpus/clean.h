#pragma once

#include <tinyllm/train/corpus/mask.h>
#include <tinyllm/train/corpus/near_duplicates.h>
#include <tinyllm/train/corpus/normalise.h>
#include <tinyllm/train/corpus/paragraph_rules.h>
#include <tinyllm/train/corpus/pieces.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

/// What is compared with everything before it, up to small differences.
enum class NearUnit { none, documents, paragraphs };
constexpr auto names(NearUnit) { return std::array{"none", "documents", "paragraphs"}; }

struct CleanOptions {
  std::vector<std::string> fields = {"text", "content"};  ///< Of JSON lines: those that are there, one below the other.
  Width width = Width::fold;
  ParagraphOptions paragraphs;
  int64_t min_document = 10;  ///< Characters that must be left of a document; 0: off.
  /// A document is dropped when more than this fraction of it is symbols, repetition and boilerplate; 1: off.
  double max_dropped = 0.8;
  MaskOptions mask;
  NearUnit near = NearUnit::documents;
  int64_t min_near_paragraph = 40;  ///< Characters; shorter paragraphs are not compared.
};

/// What a rule dropped.
struct Dropped {
  std::string_view rule;
  int64_t line = 0;
  std::string text;
};

struct CleanParagraph {
  size_t begin = 0;  ///< In the text of the piece.
  size_t size = 0;   ///< Bytes, without the line feed after it.
  int64_t line = 0;
  uint64_t hash = 0;
};

/// What the rules left of a document, or of the part of it that is in a piece.
struct CleanDocument {
  int64_t line = 0;
  bool opens = true;
  bool closes = true;
  std::vector<CleanParagraph> paragraphs;
  uint64_t hash = 0;
  /// One for the document, or one for each paragraph; none for short ones.
  std::vector<std::optional<MinHash>> minhashes;
};

/// A piece of a file after all steps that do not depend on other pieces.
struct CleanPiece {
  size_t file = 0;
  TextFormat format = TextFormat::text;
  documents::Encoding encoding = documents::Encoding::utf8;
  std::string text;  ///< The paragraphs, each followed by a line feed; nothing between documents.
  std::vector<CleanDocument> documents;
  std::vector<Dropped> dropped;
  int64_t documents_read = 0;  ///< Those that end here.
  int64_t paragraphs_read = 0;
  int64_t bytes_read = 0;  ///< Of text, decoded.
  int64_t markup = 0;      ///< Bytes of these that are not text: tags and scripts, names and other fields of JSON.
  NormaliseCounts normalised;
  MaskCounts masked;
  int64_t consumed = 0;  ///< Bytes of the file.
  std::string problem;   ///< As in Piece.
  std::string why;
};

/// Splits pieces into documents and paragraphs, and judges them. Several threads may use one object at the same time.
class Cleaner {
 public:
  explicit Cleaner(const CleanOptions& options) : options_(options), rules_(options.paragraphs) {}

  CleanPiece clean(Piece piece) const;

 private:
  CleanOptions options_;
  ParagraphRules rules_;
};

}  // namespace tinyllm::corpus

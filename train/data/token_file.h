#pragma once

#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/progress.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace tinyllm {

/// A corpus as tokens, mapped into memory. All numbers are little-endian:
///
///   header   magic "TLTOKENS", version u32, bytes of an id u32, hash of the tokenizer u64
///   ids      u16 where the vocabulary fits, else u32; padded with zeros to a multiple of 8 bytes
///   ends     for each document, the number of tokens up to its end, u64
///   trailer  number of tokens u64, number of documents u64, XXH3 of everything before it, header included, u64
///
/// Every document ends with the tokenizer's `end_of_document` and has nothing before its first token, as in our chat
/// template.
class TokenFile {
 public:
  /// Tokens [begin, end) of the file.
  struct Range {
    int64_t begin;
    int64_t end;
  };

  /// Reads the whole file once, at the speed of the disk, to compare its checksum; `on_progress` counts bytes.
  /// Throws Stopped, and Error when it is not a file of tokens, was made with another tokenizer, is cut short or
  /// damaged, or when what it says about its documents contradicts itself.
  TokenFile(const std::filesystem::path& path, const Tokenizer& tokenizer, const OnProgress& on_progress = {});

  const std::filesystem::path& path() const { return path_; }
  int64_t size() const { return size_; }  ///< Tokens.
  int64_t documents() const { return static_cast<int64_t>(ends_.size()); }
  uint64_t checksum() const { return checksum_; }

  /// Where a document is.
  Range document(int64_t index) const;
  /// The document that holds a token: a binary search.
  int64_t document_of(int64_t token) const;
  /// Copies tokens [from, from + count), which must be in the file. Throws Error on one outside the vocabulary.
  void tokens(int64_t from, int64_t count, int32_t* out) const;

 private:
  void read_header(const Tokenizer& tokenizer);
  void compare_checksum(const OnProgress& on_progress);
  void read_ends();

  std::filesystem::path path_;
  MappedFile file_;
  size_t id_bytes_ = 0;
  int64_t vocab_size_ = 0;
  int64_t size_ = 0;
  std::span<const uint64_t> ends_;
  uint64_t checksum_ = 0;
};

/// Writes such a file from start to end. It keeps 8 bytes per document in memory.
class TokenFileWriter {
 public:
  /// `append` comes from write_file.
  TokenFileWriter(const Tokenizer& tokenizer, Append append);
  ~TokenFileWriter();

  /// Adds tokens to the current document.
  void add(std::span<const int32_t> tokens);
  /// Ends it with the tokenizer's `end_of_document`. A document without tokens is not written.
  void end_document();
  /// Writes what follows the last document.
  void finish();

  int64_t size() const;
  int64_t documents() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm

#include <doctest/doctest.h>

#include <tinyllm/train/data/token_file.h>
#include <tinyllm/train/data/tokenize.h>

#include "error_of.h"
#include "model/text/sample_text.h"
#include "temp_folder.h"

#include <xxhash.h>

#include <cstring>

namespace tinyllm::test {
namespace {

std::string text_of(const TokenFile& file, const Tokenizer& tokenizer, int64_t document) {
  const auto [begin, end] = file.document(document);
  std::vector<int32_t> tokens(static_cast<size_t>(end - begin));
  file.tokens(begin, end - begin, tokens.data());
  CHECK(tokens.back() == kEosId);
  return tokenizer.decode(tokens);
}

// The documents of a corpus after the way through a file.
std::vector<std::string> documents_of(const std::vector<std::string>& corpora, const Tokenizer& tokenizer) {
  const TempFolder folder;
  std::vector<std::filesystem::path> inputs;
  for (const std::string& corpus : corpora) {
    inputs.push_back(folder / ("corpus" + std::to_string(inputs.size())));
    write_file(inputs.back(), corpus);
  }
  tokenize(inputs, tokenizer, folder / "tokens", 2);
  const TokenFile file(folder / "tokens", tokenizer);
  std::vector<std::string> documents;
  for (int64_t i = 0; i < file.documents(); ++i) documents.push_back(text_of(file, tokenizer, i));
  return documents;
}

// Documents of many sizes, of which some are longer than a piece that is encoded at once.
std::string large_corpus() {
  std::string corpus;
  for (int i = 0; i < 300; ++i) {
    if (i > 0) corpus += "\f\n";
    for (int line = 0; line < (i == 100 ? 20000 : i % 17 + 1); ++line) {
      corpus += "第" + std::to_string(i) + "篇，第 " + std::to_string(line) + " 行 of a text\n";
    }
  }
  return corpus;
}

// A tokenizer with ids beyond 16 bits: one more piece for each of 70000 characters from U+20000 on, in the encoding of
// SentencePiece's model, where a field that comes again adds to a list.
SentencePieceTokenizer large_tokenizer() {
  const TempFolder folder;
  sample_tokenizer().save_file(folder / "tokenizer.model");
  std::string model = read_file(folder / "tokenizer.model");
  for (uint32_t c = 0x20000; c < 0x20000 + 70000; ++c) {
    model += "\x0A\x0B\x0A\x04";
    for (const uint32_t byte : {0xF0 | c >> 18, 0x80 | (c >> 12 & 0x3F), 0x80 | (c >> 6 & 0x3F), 0x80 | (c & 0x3F)}) {
      model += static_cast<char>(byte);
    }
    const float score = -1e6f;
    model += '\x15';
    model.append(reinterpret_cast<const char*>(&score), sizeof(score));
  }
  write_file(folder / "large.model", model);
  return SentencePieceTokenizer::load(folder / "large.model");
}

}  // namespace

TEST_CASE("documents come back byte for byte, separated by lines that hold a form feed alone") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  struct Case {
    std::vector<std::string> corpora;
    std::vector<std::string> documents;
  };
  const std::string line(600'000, 'x');
  std::string wide;  // Characters that no piece ends at by itself.
  while (wide.size() < 600'000) wide += "算a";
  const Case cases[] = {
      {{"one\ntwo\n"}, {"one\ntwo\n"}},
      {{"no line end"}, {"no line end"}},
      {{"one\n\f\ntwo\n\f\nthree"}, {"one\n", "two\n", "three"}},
      {{"\f\n\f\none\n\f\n\f\n"}, {"one\n"}},
      {{"one\n\f"}, {"one\n"}},
      {{"a \f b\n\fc\nd\f\n"}, {"a \f b\n\fc\nd\f\n"}},
      {{"one\r\n\f\r\ntwo\r\nthree\r"}, {"one\n", "two\nthree\r"}},
      {{"one", "two\n\f\nthree\n", "", "four"}, {"one", "two\n", "three\n", "four"}},
      {{line + "\f\n\f\n" + wide}, {line + "\f\n", wide}},
  };
  for (const Case& c : cases) CHECK(documents_of(c.corpora, tokenizer) == c.documents);
}

TEST_CASE("ids take 32 bits where the vocabulary asks for them") {
  const SentencePieceTokenizer tokenizer = large_tokenizer();
  REQUIRE(tokenizer.size() > 65536);
  const std::vector<std::string> documents = {"first \xF0\xA0\x80\x80\n",
                                              "last \xF0\xB1\x85\xAF\n"};  // U+20000, U+3116F.
  REQUIRE(tokenizer.encode(documents[1]).end()[-2] == tokenizer.size() - 1);
  CHECK(documents_of({documents[0] + "\f\n" + documents[1]}, tokenizer) == documents);
}

TEST_CASE("a line end of Windows is one wherever a piece of a long line is cut") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  for (size_t before = 262'140; before < 262'148; ++before) {
    const std::string line(before, 'x');
    CHECK(documents_of({line + "\r\ny"}, tokenizer) == std::vector{line + "\ny"});
    CHECK(documents_of({line + "\n\f\ny"}, tokenizer) == std::vector{line + "\n", std::string("y")});
  }
}

TEST_CASE("a file of tokens holds what encoding whole documents gives, in the same bytes for any number of threads") {
  const TempFolder folder;
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const std::string corpus = large_corpus();
  write_file(folder / "corpus", corpus);
  std::string first;
  for (const int threads : {1, 2, 8}) {
    const TokenizeCounts done = tokenize({folder / "corpus"}, tokenizer, folder / "tokens", threads);
    CHECK(done.documents == 300);
    CHECK(done.bytes == std::ssize(corpus));
    if (threads == 1) first = read_file(folder / "tokens");
    CHECK(read_file(folder / "tokens") == first);
  }
  const TokenFile file(folder / "tokens", tokenizer);
  size_t begin = 0;
  for (int64_t i = 0; i < 300; ++i) {
    const size_t end = std::min(corpus.find('\f', begin), corpus.size());
    std::vector<int32_t> expected = tokenizer.encode(corpus.substr(begin, end - begin));
    expected.push_back(kEosId);
    begin = end + 2;
    const auto range = file.document(i);
    std::vector<int32_t> found(static_cast<size_t>(range.end - range.begin));
    file.tokens(range.begin, range.end - range.begin, found.data());
    CHECK(found == expected);
    CHECK(file.document_of(range.begin) == i);
    CHECK(file.document_of(range.end - 1) == i);
  }
}

TEST_CASE("text that cannot be tokenised is named, and leaves no file") {
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const TempFolder folder;
  const auto message = [&](const std::string& corpus) {
    write_file(folder / "corpus", corpus);
    const std::string what = error_of([&] { tokenize({folder / "corpus"}, tokenizer, folder / "tokens", 2); });
    CHECK(!exists(folder / "tokens"));
    CHECK(!exists(folder / "tokens.part"));
    return what.substr(std::min(what.size(), folder.path().string().size() + 1));
  };
  CHECK(message("good\nbad \xFF byte\n") == "corpus: line 2, byte 5: 0xFF is not UTF-8");
  std::string lines;
  for (int i = 1; i < 100'000; ++i) lines += "1234567\n";
  CHECK(message(lines + "12\x80") == "corpus: line 100000, byte 3: 0x80 is not UTF-8");
  CHECK(message("\n" + std::string(1'000'000, 'x') + "\xE7") == "corpus: line 2, byte 1000001: 0xE7 is not UTF-8");
  CHECK(message("") == "tokens: not written: the corpus holds no text");
  CHECK(message("\f\n\f\n") == "tokens: not written: the corpus holds no text");
  CHECK_THROWS_AS(tokenize({folder / "none"}, tokenizer, folder / "tokens", 2), Error);
  CHECK_THROWS_AS(tokenize({folder.path()}, tokenizer, folder / "tokens", 2), Error);
  CHECK_THROWS_AS(tokenize({folder / "corpus"}, tokenizer, folder / "tokens", 0), Error);
  CHECK_THROWS_AS(tokenize({folder / "corpus"}, tokenizer, folder / "corpus", 1), Error);
  write_file(folder / "new.part", "text");  // Where the file "new" is written before it has its name.
  CHECK_THROWS_AS(tokenize({folder / "new.part"}, tokenizer, folder / "new", 1), Error);
  CHECK(read_file(folder / "new.part") == "text");
  write_file(folder / "corpus", large_corpus());
  CHECK_THROWS_WITH_AS(tokenize({folder / "corpus"}, tokenizer, folder / "tokens", 2, [](auto&) { return false; }),
                       "stopped; nothing was written", Error);
  CHECK(!exists(folder / "tokens.part"));
}

TEST_CASE("a file of tokens of another tokenizer is refused, with the hashes of both") {
  const TempFolder folder;
  const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const SentencePieceTokenizer other =
      SentencePieceTokenizer::train(std::vector<std::string>{"another text"}, {.vocab_size = 300});
  CHECK(sample_tokenizer().hash() == tokenizer.hash());
  REQUIRE(other.hash() != tokenizer.hash());
  write_file(folder / "corpus", "text");
  tokenize({folder / "corpus"}, tokenizer, folder / "tokens", 1);
  const std::string expected =
      fmt::format("{}: was made with the tokenizer {:016x}, expected {:016x}; make it again with this one",
                  (folder / "tokens").string(), tokenizer.hash(), other.hash());
  CHECK_THROWS_WITH_AS(TokenFile(folder / "tokens", other), expected.c_str(), Error);
}

// A file of tokens of three documents, and what is said about other bytes in its place.
class Opened {
 public:
  Opened() {
    write_file(folder_ / "corpus", "one\n\f\ntwo\n\f\nthree 3\n");
    tokenize({folder_ / "corpus"}, tokenizer_, folder_ / "tokens", 1);
  }
  std::string whole() const { return read_file(folder_ / "tokens"); }
  std::string message(const std::string& bytes) const {
    write_file(folder_ / "other", bytes);
    return error_of([&] { TokenFile(folder_ / "other", tokenizer_); });
  }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  std::filesystem::path path() const { return folder_ / "other"; }

 private:
  TempFolder folder_;
  SentencePieceTokenizer tokenizer_ = sample_tokenizer();
};

// The bytes with the checksum that they should have.
std::string sealed(std::string bytes) {
  const uint64_t sum = XXH3_64bits(bytes.data(), bytes.size() - sizeof(uint64_t));
  std::memcpy(bytes.data() + bytes.size() - sizeof(sum), &sum, sizeof(sum));
  return bytes;
}

TEST_CASE("a file of tokens that is cut, longer, or has a bit flipped anywhere is refused when it is opened") {
  const Opened opened;
  const std::string whole = opened.whole();
  CHECK(opened.message(whole) == "no error");
  CHECK(sealed(whole) == whole);
  for (size_t kept = 0; kept < whole.size(); ++kept) {
    const std::string said = opened.message(whole.substr(0, kept));
    CAPTURE(said);
    CHECK(said.find(kept < 24   ? "is not a file of tokens"
                    : kept < 48 ? "bytes, expected 48 or more: cut short"
                                : "cut short or damaged: the checksum of its") != std::string::npos);
  }
  CHECK(opened.message(whole + std::string(8, '\0')).find("cut short or damaged") != std::string::npos);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    CHECK(opened.message(flipped) != "no error");
  }
}

TEST_CASE("a file of tokens whose checksum is right is refused where its numbers cannot be") {
  struct Case {
    const char* what;
    size_t at;
    uint64_t value;
    const char* said;
  };
  const Opened opened;
  const std::string whole = opened.whole();
  const size_t size = whole.size();
  const uint64_t huge = ~uint64_t{0} / 2 + 1;  // Twice as much is 0.
  const Case cases[] = {
      {"magic", 0, 0, "is not a file of tokens"},
      {"version 2, ids of 2 bytes", 8, uint64_t{2} << 32 | 2, "version 2, expected 1"},
      {"ids of 4 bytes", 8, uint64_t{4} << 32 | 1, "ids of 4 bytes, expected 2 for"},
      {"ids of no bytes", 8, 1, "ids of 0 bytes, expected 2 for"},
      {"tokenizer", 16, 7, "was made with the tokenizer 0000000000000007"},
      {"end of the first document", size - 48, huge, "a document of tokens 0 to 9223372036854775808"},
      {"end of the second before the first", size - 40, 1, "damaged"},
      {"end of the last", size - 32, huge, "damaged"},
      {"tokens", size - 24, huge, "do not fit a file of"},
      {"documents", size - 16, huge, "do not fit a file of"},
      {"no documents", size - 16, 0, "do not fit a file of"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    std::string bytes = whole;
    std::memcpy(bytes.data() + c.at, &c.value, sizeof(c.value));
    const std::string said = opened.message(sealed(bytes));
    CAPTURE(said);
    CHECK(said.find(c.said) != std::string::npos);
  }
  std::string bytes = whole;
  std::memset(bytes.data() + 24, 0xFF, 8);
  CHECK(opened.message(sealed(bytes)) == "no error");
  int32_t token = 0;
  CHECK_THROWS_AS(TokenFile(opened.path(), opened.tokenizer()).tokens(1, 1, &token), Error);
}

TEST_CASE("how far the check of a file of tokens is, is told up to its end") {
  const Opened opened;
  CHECK(opened.message(opened.whole()) == "no error");
  Progress last;
  const TokenFile file(opened.path(), opened.tokenizer(), [&](const Progress& progress) {
    CHECK(progress.done > last.done);
    last = progress;
    return true;
  });
  CHECK(last.done == last.total);
  CHECK(last.total == std::ssize(opened.whole()) - 8);
}

TEST_CASE("the check of a file of tokens can be stopped") {
  const Opened opened;
  CHECK(opened.message(opened.whole()) == "no error");
  CHECK_THROWS_AS(TokenFile(opened.path(), opened.tokenizer(), [](const Progress&) { return false; }), Stopped);
}

}  // namespace tinyllm::test

#include <tinyllm/train/data/tokenize.h>

#include <tinyllm/tensor/base/ordered_pipeline.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/document_reader.h>
#include <tinyllm/train/data/token_file.h>

#include <utility>

namespace tinyllm {
namespace {

// A piece, encoded: where the ends of documents are in its tokens.
struct Encoded {
  std::vector<int32_t> tokens;
  std::vector<size_t> ends;
  int64_t bytes = 0;
  int64_t characters = 0;
};

Encoded encode(CorpusPiece piece, const Tokenizer& tokenizer) {
  Encoded encoded;
  encoded.bytes = std::ssize(piece.text);
  for (const DocumentPart& part : cut_documents(piece)) {
    const std::vector<int32_t> tokens = tokenizer.encode(part.text);
    encoded.tokens.insert(encoded.tokens.end(), tokens.begin(), tokens.end());
    encoded.characters += count_of_characters(part.text);
    if (part.ends) encoded.ends.push_back(encoded.tokens.size());
  }
  return encoded;
}

// Writes documents, each after what the tokenizer puts before a text.
class DocumentWriter {
 public:
  DocumentWriter(std::span<const int32_t> before_text, TokenFileWriter& writer)
      : before_text_(before_text), writer_(writer) {}

  void write(const Encoded& encoded) {
    const std::span<const int32_t> tokens = encoded.tokens;
    size_t begin = 0;
    for (const size_t end : encoded.ends) {
      add(tokens.subspan(begin, end - begin));
      writer_.end_document();
      is_new_ = true;
      begin = end;
    }
    add(tokens.subspan(begin));
  }

 private:
  void add(std::span<const int32_t> tokens) {
    if (tokens.empty()) return;
    if (std::exchange(is_new_, false)) writer_.add(before_text_);
    writer_.add(tokens);
  }

  std::span<const int32_t> before_text_;
  TokenFileWriter& writer_;
  bool is_new_ = true;
};

}  // namespace

TokenizeCounts tokenize(const std::vector<std::filesystem::path>& corpora, const Tokenizer& tokenizer,
                        const std::filesystem::path& output, int threads, const OnProgress& on_progress) {
  if (threads < 1 || threads > ThreadPool::kMaxThreads)
    throw Error("{} threads asked for, expected 1 to {}", threads, ThreadPool::kMaxThreads);
  for (const std::filesystem::path& corpus : corpora) {
    for (const std::filesystem::path& written : {output, part_of(output)}) {
      std::error_code ignored;  // Of what does not exist; the reader says it.
      if (equivalent(corpus, written, ignored)) throw Error("{}: is the input too", written.string());
    }
  }
  CorpusReader reader(corpora);
  TokenizeCounts done;
  write_file(output, [&](const Append& append) {
    TokenFileWriter writer(tokenizer, append);
    DocumentWriter documents(tokenizer.before_text(), writer);
    ordered_pipeline(
        threads, [&] { return reader.next(); }, [&](CorpusPiece piece) { return encode(std::move(piece), tokenizer); },
        [&](const Encoded& encoded) {
          documents.write(encoded);
          done.bytes += encoded.bytes;
          done.characters += encoded.characters;
          done.tokens = writer.size();
          done.documents = writer.documents();
          report(on_progress, {.done = done.bytes, .total = reader.total_bytes(), .made = done.tokens});
        });
    if (done.documents == 0) throw Error("{}: not written: the corpus holds no text", output.string());
    writer.finish();
  });
  return done;
}

}  // namespace tinyllm

#include <doctest/doctest.h>

#include <tinyllm/model/text/spm/chars_map.h>
#include <tinyllm/model/text/spm/spm_tokenizer.h>
#include <tinyllm/tensor/base/error.h>

#include "model/text/cases.h"
#include "model/text/sample_text.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

namespace tinyllm::test {
namespace {

using Tokens = std::vector<int32_t>;

// The lines of the sample texts, for the trainer.
class Lines : public sentencepiece::SentenceIterator {
 public:
  bool done() const override { return at_ == texts_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return texts_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> texts_ = sample_texts();
  size_t at_ = 0;
};

// Texts of all reference sets, and some for pieces that a user defined.
std::vector<std::string> texts() {
  std::vector<std::string> all = {"",     "foo foobar fo 题", "<|m|> <|m|>foo", "☃☃ x ☃",    "①②ﬃ ㍿ ｶﾞ", "　　x　",
                                  "▁ ▁▁", "a\u0301 \u0301",   "题题题",         "Q  12 * 3 "};
  for (const Json& json : json_lines(tokenizer_data("nfkc_bpe.jsonl"))) all.push_back(json["text"]);
  return all;
}

}  // namespace

TEST_CASE("tokens and texts of the reference models are those of SentencePiece") {
  for (const std::string name : {"llama_bpe", "nfkc_bpe", "no_prefix_bpe"}) {
    const SpmTokenizer tokenizer = SpmTokenizer::load(tokenizer_data(name + ".model"));
    for (const Json& json : json_lines(tokenizer_data(name + ".jsonl"))) {
      INFO(name, " ", json.dump());
      const auto ids = json["ids"].get<Tokens>();
      CHECK(tokenizer.encode_with_added(json["text"].get<std::string>()) == ids);
      CHECK(tokenizer.decode_text(ids) == json["decoded"]);
    }
  }
}

TEST_CASE("tokens of every type of model and every option are those of SentencePiece") {
  using Options = std::unordered_map<std::string, std::string>;
  const Options cases[] = {
      {{"model_type", "unigram"}, {"normalization_rule_name", "nmt_nfkc"}},
      {{"model_type", "unigram"}, {"normalization_rule_name", "nfkc_cf"}, {"byte_fallback", "true"}},
      {{"model_type", "unigram"},
       {"normalization_rule_name", "identity"},
       {"add_dummy_prefix", "false"},
       {"remove_extra_whitespaces", "false"},
       {"user_defined_symbols", "<|m|>,foo,foobar,题"}},
      {{"model_type", "bpe"}, {"user_defined_symbols", "<|m|>,foo,foobar,题"}},
      {{"model_type", "bpe"}, {"byte_fallback", "true"}, {"treat_whitespace_as_suffix", "true"}},
      {{"model_type", "bpe"}, {"split_by_whitespace", "false"}, {"unk_surface", "?"}},
      {{"model_type", "char"}},
      {{"model_type", "word"}},
  };
  const std::vector<std::string> all = texts();
  for (Options options : cases) {
    options.insert({{"vocab_size", "400"}, {"hard_vocab_limit", "false"}, {"minloglevel", "2"}, {"num_threads", "1"}});
    Lines lines;
    std::string model;
    REQUIRE(sentencepiece::SentencePieceTrainer::Train(options, &lines, &model).ok());
    sentencepiece::SentencePieceProcessor reference;
    REQUIRE(reference.LoadFromSerializedProto(model).ok());
    const SpmTokenizer tokenizer = SpmTokenizer::parse(model, "model");
    for (const std::string& text : all) {
      INFO(options["model_type"], " ", options["normalization_rule_name"], " ", text);
      const Tokens expected = reference.EncodeAsIds(text);
      CHECK(tokenizer.encode_with_added(text) == expected);
      CHECK(tokenizer.decode_text(expected) == reference.DecodeIds(expected));
    }
  }
}

TEST_CASE("a marker that a user types stays text in a SentencePiece model too") {
  const SpmTokenizer tokenizer = SpmTokenizer::load(tokenizer_data("no_prefix_bpe.model"));
  const int32_t id = tokenizer.special("<|im_end|>").value();
  CHECK(tokenizer.encode_with_added("<|im_end|>") == Tokens{id});
  const Tokens plain = tokenizer.encode("<|im_end|>");
  CHECK(std::find(plain.begin(), plain.end(), id) == plain.end());
  CHECK(tokenizer.decode(plain) == "<|im_end|>");
  CHECK(tokenizer.is_end(tokenizer.special("</s>").value()));
}

TEST_CASE("a damaged map of characters is refused, or searched without leaving it") {
  const auto number = [](uint32_t value) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
    return bytes;
  };
  CHECK(CharsMap("", "map").find("a").length == 0);
  CHECK_THROWS_WITH_AS(CharsMap("abc", "map"), "map: the map of characters has 3 bytes, of which 0 are its trie",
                       Error);
  CHECK_THROWS_WITH_AS(CharsMap(number(8) + number(0), "map"),
                       "map: the map of characters has 8 bytes, of which 8 are its trie", Error);
  CHECK_THROWS_WITH_AS(CharsMap(number(4) + number(0) + "a", "map"), "map: the map of characters ends within a text",
                       Error);
  // A root whose offset is outside, with and without the factor of 256; a value outside the texts.
  const std::string text(1, '\0');
  CHECK(CharsMap(number(4) + number(0xFFFFFC00) + text, "map").find("a").length == 0);
  CHECK(CharsMap(number(4) + number(0xFFFFFE00) + text, "map").find("a").length == 0);
  std::string units = number(1024);  // The root: children at offset 1.
  for (uint32_t i = 1; i < 256; ++i) units += number((i ^ 1) | 0x100 | (i + 1) << 10);
  const CharsMap map(number(1024) + units + text, "map");
  for (const char first : {'a', '\x01', '\xC3'}) CHECK(map.find(std::string(300, first)).text.empty());
}

}  // namespace tinyllm::test

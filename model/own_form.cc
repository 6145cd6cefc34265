#include <tinyllm/model/own_form.h>

#include <tinyllm/model/formats/gguf/tokenizer_json.h>
#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/model/load.h>
#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>

namespace tinyllm {
namespace {

// `default_chat_template` in Jinja.
constexpr const char* kTemplate =
    "{%- if messages[0].role == 'system' -%}{%- set system = messages[0].content -%}{%- set rest = messages[1:] -%}"
    "{%- else -%}{%- set system = '' -%}{%- set rest = messages -%}{%- endif -%}"
    "{{- '<|system|>\\n' + system + '\\n<|sep|>\\n' -}}"
    "{%- for message in rest -%}"
    "{%- if not loop.first and loop.previtem.role == 'assistant' -%}{{- '<|sep|>\\n' -}}{%- endif -%}"
    "{%- if message.role == 'user' -%}{{- '<|user|>\\n' + message.content + '\\n<|sep|>\\n' -}}"
    "{%- elif message.role == 'assistant' -%}{{- '<|assistant|>\\n' + message.content + '</s>' -}}"
    "{%- else -%}{{- raise_exception('a message is neither the user\\'s nor the assistant\\'s') -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{%- if rest and rest[-1].role == 'assistant' -%}{{- '<|sep|>\\n' -}}{%- endif -%}"
    "{{- '<|assistant|>\\n' -}}{%- endif -%}";

}  // namespace

GgufTokenizer own_gguf_tokenizer(const Model& model) {
  const std::map<std::string, std::string> files = model.tokenizer->files();
  const auto file = files.find(kTokenizerFile);
  if (file == files.end()) throw Error("the tokenizer is not one that train_tokenizer made");
  GgufTokenizer tokenizer = gguf_tokenizer(read_sentencepieces(file->second, kTokenizerFile), model.config.vocab_size);
  tokenizer.eos = model.tokenizer->end_of_document();
  tokenizer.padding = model.tokenizer->pad();
  tokenizer.add_space_prefix = false;
  tokenizer.add_bos = false;
  tokenizer.chat_template = kTemplate;
  return tokenizer;
}

void take_hugging_face_form(Model& model, DType type) {
  nlohmann::ordered_json config = hugging_face_config(model.config);
  config["torch_dtype"] = torch_name(type);
  config["eos_token_id"] = model.tokenizer->end_of_document();
  config["pad_token_id"] = model.tokenizer->pad();
  if (model.chat_template == default_chat_template()) {
    const GgufTokenizer tokenizer = own_gguf_tokenizer(model);
    std::map<std::string, std::string> files = model.tokenizer->files();
    files[kHfTokenizerFile] = tokenizer_json(tokenizer, "llama").dump() + "\n";
    files["tokenizer_config.json"] = tokenizer_config_json(tokenizer).dump(2) + "\n";
    files["generation_config.json"] =
        Json{{"eos_token_id", *tokenizer.eos}, {"pad_token_id", *tokenizer.padding}}.dump(2) + "\n";
    const ModelFiles form("tokenizer", std::move(files));
    model.tokenizer = std::make_shared<const HfTokenizer>(HfTokenizer::load(form));
    model.chat_template = template_of(form);
  }
  model.origin = std::make_shared<const HuggingFaceForm>(form_of(config.dump(2) + "\n", type, model.config));
}

}  // namespace tinyllm

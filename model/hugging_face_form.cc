#include <tinyllm/model/hugging_face_form.h>

#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {
namespace {

using OrderedJson = nlohmann::ordered_json;

// How many rows are written at once. This takes little memory compared to a model.
constexpr int64_t kRowsAtOnce = 1024;

// Rows of a weight that are a tensor of their own in the file.
struct Part {
  const WeightSpec* spec;
  const Store::Entry* weight;
  int64_t begin;
  int64_t rows;
  const HuggingFaceForm::Tensor* form;
};

template <class T>
void append_as(std::span<const float> numbers, const Append& append) {
  std::vector<T> narrow(numbers.size());
  convert(numbers, std::span(narrow));
  append(std::as_bytes(std::span<const T>(narrow)));
}

void check_range(std::span<const float> numbers, const Part& part) {
  constexpr float kMost = 65504;  // The largest finite float16.
  for (const float x : numbers) {
    if (std::isfinite(x) && std::abs(x) > kMost) {
      throw Error("{}: {} is too large for F16, the type of the model", part.form->name, x);
    }
  }
}

void write(const Part& part, const Append& append) {
  const int64_t width = part.spec->shape.size() / part.spec->shape[0];
  std::vector<float> numbers;
  for (int64_t first = 0; first < part.rows; first += kRowsAtOnce) {
    numbers.resize(static_cast<size_t>(std::min(kRowsAtOnce, part.rows - first) * width));
    read_rows(*part.weight, part.begin + first, numbers);
    if (part.form->type == bf16) {
      append_as<BFloat16>(numbers, append);
    } else if (part.form->type == f16) {
      check_range(numbers, part);
      append_as<Half>(numbers, append);
    } else {
      append(std::as_bytes(std::span<const float>(numbers)));
    }
  }
}

std::vector<Part> parts_of(const Model& model, const HuggingFaceForm& form, const std::vector<WeightSpec>& specs) {
  std::vector<Part> parts;
  for (const WeightSpec& spec : specs) {
    const Store::Entry& weight = model.weights->at(spec.name);
    int64_t begin = 0;
    for (const WeightPart& part : spec.parts) {
      parts.push_back({&spec, &weight, begin, part.rows, &form.tensors.at(part.hugging_face)});
      begin += part.rows;
    }
  }
  std::ranges::stable_sort(parts, [](const Part& a, const Part& b) {
    return std::pair(a.form->file, a.form->place) < std::pair(b.form->file, b.form->place);
  });
  return parts;
}

// The form with the weights that the source did not have, such as the head of a model that is not tied any more. They
// are added at the end of the last file.
HuggingFaceForm with_missing(HuggingFaceForm form, const std::vector<WeightSpec>& specs) {
  std::string last;
  for (const auto& [name, tensor] : form.tensors) last = std::max(last, tensor.file);
  const DType type = main_type(form);
  for (const WeightSpec& spec : specs) {
    for (const WeightPart& part : spec.parts) {
      form.tensors.emplace(part.hugging_face, HuggingFaceForm::Tensor{part.hugging_face, type, last, UINT64_MAX});
    }
  }
  return form;
}

// A part of a model, as transformers names it.
bool is_shard(std::string_view name) {
  constexpr std::string_view kForm = "model-00000-of-00000.safetensors";
  return std::equal(name.begin(), name.end(), kForm.begin(), kForm.end(),
                    [](char c, char form) { return form == '0' ? '0' <= c && c <= '9' : c == form; });
}

// Writes the files, then their index if there are several.
void write_weights(const std::vector<Part>& parts, const std::filesystem::path& folder) {
  OrderedJson index = {{"metadata", {{"total_size", uint64_t{0}}}}, {"weight_map", OrderedJson::object()}};
  uint64_t total = 0;
  std::string file;
  std::vector<MadeTensor> tensors;
  const auto finish = [&] {
    if (!tensors.empty()) save_safetensors(folder / file, tensors, {{"format", "pt"}});
    tensors.clear();
  };
  for (const Part& part : parts) {
    if (part.form->file != file) finish();
    file = part.form->file;
    const Shape shape = part.spec->shape.with(0, part.rows);
    const uint64_t size = bytes_of(part.form->type, shape);
    tensors.push_back({part.form->name, safetensors_name(part.form->type), shape, size,
                       [&part](const Append& append) { write(part, append); }});
    index["weight_map"][part.form->name] = file;
    total += size;
  }
  finish();
  if (file == kWeightsFile) return;
  index["metadata"]["total_size"] = total;
  write_file(folder / kWeightsIndexFile, index.dump(2) + "\n");
}

std::string config_text(const Model& model, const HuggingFaceForm& form) {
  OrderedJson config = OrderedJson::parse(form.config);
  const auto set = [&](const char* field, const auto& value) {
    if (!config.contains(field) || config[field] != value) config[field] = value;
  };
  // A config without the field means the family's default.
  if (config_from_hugging_face(parse_json(form.config, kConfigFile)).tied_head != model.config.tied_head) {
    set("tie_word_embeddings", model.config.tied_head);
  }
  for (const char* field : {"dtype", "torch_dtype"}) {
    if (config.contains(field)) set(field, torch_name(main_type(form)));
  }
  return config == OrderedJson::parse(form.config) ? form.config : config.dump(2) + "\n";
}

}  // namespace

DType main_type(const HuggingFaceForm& form) { return form.tensors.at("model.embed_tokens.weight").type; }

const char* torch_name(DType type) { return type == f16 ? "float16" : type == bf16 ? "bfloat16" : "float32"; }

HuggingFaceForm form_of(std::string config, const WeightFiles& files, const ModelConfig& sizes) {
  HuggingFaceForm form{std::move(config), {}};
  for (const WeightSpec& spec : weight_specs(sizes)) {
    for (const WeightPart& part : spec.parts) {
      const WeightFiles::Tensor& tensor = files.at(part.hugging_face, spec.shape.with(0, part.rows));
      form.tensors[part.hugging_face] = {tensor.entry->name, *tensor.entry->element_type(),
                                         tensor.file->path().filename().string(), tensor.entry->begin};
    }
  }
  return form;
}

HuggingFaceForm form_of(std::string config, DType type, const ModelConfig& sizes) {
  HuggingFaceForm form{std::move(config), {}};
  uint64_t place = 0;
  for (const WeightSpec& spec : weight_specs(sizes)) {
    for (const WeightPart& part : spec.parts) {
      form.tensors[part.hugging_face] = {part.hugging_face, type, kWeightsFile, place++};
    }
  }
  return form;
}

HuggingFaceForm with_type(HuggingFaceForm form, DType type) {
  OrderedJson config = OrderedJson::parse(form.config);
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = torch_name(type);
  form.config = config.dump(2) + "\n";
  for (auto& [name, tensor] : form.tensors) tensor.type = type;
  return form;
}

bool is_weight_file(std::string_view name) {
  return name == kWeightsFile || name == kWeightsIndexFile || is_shard(name);
}

void remove_weights(const std::filesystem::path& folder) {
  for (const std::string& name : names_in(folder)) {
    if (is_weight_file(name)) remove_file(folder / name);
  }
}

void save_hugging_face(const Model& model, const HuggingFaceForm& form, const std::filesystem::path& folder) {
  for (const Type type : {model.config.types.matrices, model.config.types.tables}) {
    if (type == f32 || type == packed_bf16) continue;
    throw Error(
        "{}: the weights are {}, in which a folder of Hugging Face cannot have them: load the model as f32 or bf16",
        folder.string(), type.name());
  }
  const std::vector<WeightSpec> specs = weight_specs(model.config);
  const HuggingFaceForm complete = with_missing(form, specs);
  const std::vector<Part> parts = parts_of(model, complete, specs);
  make_folder(folder);
  remove_weights(folder);  // A reader could mix weights of another model with these.
  model.tokenizer->save(folder);
  write_file(folder / kConfigFile, config_text(model, form));
  write_weights(parts, folder);
}

}  // namespace tinyllm

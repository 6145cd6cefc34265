#include <tinyllm/model/lora.h>

#include <tinyllm/model/formats/weight_files.h>
#include <tinyllm/model/peft_config.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <set>

// Adapters in the files of PEFT. A tensor has a prefix and then the name of its weight:
//   base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight
// A weight that was trained as a whole has the prefix and then its own name.
namespace tinyllm {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight";
constexpr std::string_view kB = ".lora_B.weight";
// The format of older versions of this program: one adapter for all parts of a fused matrix.
constexpr const char* kOldConfigFile = "adapter.json";
constexpr const char* kOldWeightsFile = "adapter.safetensors";

std::string prefixed(const std::string& name) { return fmt::format("{}{}", kPrefix, name); }

std::vector<float> floats(const Safetensors& file, const Safetensors::Entry& entry) {
  const std::optional<DType> type = entry.element_type();
  if (!type || *type == i32) {
    throw Error("{}: {} is of type {}, expected F32, F16 or BF16", file.path().string(), short_name(entry.name),
                entry.dtype);
  }
  std::vector<float> values(static_cast<size_t>(entry.shape.size()));
  WeightFiles::Tensor{&file, &entry}.read(0, values);
  if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); })) {
    throw Error("{}: {} has a number that is not finite", file.path().string(), short_name(entry.name));
  }
  return values;
}

std::vector<float> floats(const Safetensors& file, const std::string& name, const Shape& shape) {
  const Safetensors::Entry& entry = file.at(name);
  if (entry.shape != shape) {
    throw Error("{}: {} is {}, expected {}", file.path().string(), short_name(name), entry.shape, shape);
  }
  return floats(file, entry);
}

// A whole weight in a file of adapters.
struct Replacement {
  std::string name;  // Our name of the weight.
  int64_t first;     // The first element of this part within the weight.
  std::vector<float> values;
};

// The content of a file of adapters, matched to a model.
struct Contents {
  std::vector<AdapterPart> parts;
  std::vector<Replacement> replaced;
  bool unties = false;
};

// Reads adapters and replaced weights. Tensors that were read are removed from its list; any that remain are unknown.
class Reader {
 public:
  Reader(const Safetensors& file, const PeftConfig& peft, const ModelConfig& config)
      : file_(file), peft_(peft), config_(config) {
    for (const Safetensors::Entry& entry : file.entries()) {
      if (!entry.name.starts_with(kPrefix)) {
        throw Error("{}: {}: expected a name that begins with {}", file.path().string(), short_name(entry.name),
                    kPrefix);
      }
      left_.insert(entry.name.substr(kPrefix.size()));
    }
  }

  Contents read() {
    Contents contents;
    for (const WeightSpec& spec : weight_specs(config_)) {
      if (!spec.lora_target.empty()) read_adapters(spec, contents);
    }
    // Replacing the head of a tied model makes it a weight of its own.
    ModelConfig untied = config_;
    untied.tied_head = false;
    for (const WeightSpec& spec : weight_specs(untied)) {
      if (read_replaced(spec, contents) && spec.shape.rank() == 2 && spec.role != WeightRole::matrix) {
        contents.unties = contents.unties || (config_.tied_head && !peft_.keeps_tied);
      }
    }
    refuse_rest();
    for (const std::string& name : peft_.saved) {
      const PeftConfig one{.saved = {name}};
      if (std::ranges::none_of(saved_, [&](const std::string& module) { return one.saves(module); })) {
        throw Error("{}: has no weights for {}, which modules_to_save lists", file_.path().string(), short_name(name));
      }
    }
    return contents;
  }

 private:
  void read_adapters(const WeightSpec& spec, Contents& contents) {
    for (const WeightPart& part : spec.parts) {
      const std::string module = part.module();
      const Lora::Size size = peft_.size_of(module);
      if (size.rank == 0) {
        if (left_.contains(fmt::format("{}{}", module, kA)) || left_.contains(fmt::format("{}{}", module, kB))) {
          throw Error("{}: has an adapter of {}, which {} does not name", file_.path().string(), module,
                      kAdapterConfigFile);
        }
        continue;
      }
      contents.parts.push_back({part.hugging_face, size.rank, size.scale, take(module, kA, {size.rank, spec.shape[1]}),
                                take(module, kB, {part.rows, size.rank})});
    }
  }

  std::vector<float> take(const std::string& module, std::string_view kind, const Shape& shape) {
    const std::string name = fmt::format("{}{}", module, kind);
    if (left_.erase(name) == 0) {
      throw Error("{}: {}{} is missing, which {} names", file_.path().string(), kPrefix, name, kAdapterConfigFile);
    }
    return floats(file_, prefixed(name), shape);
  }

  bool read_replaced(const WeightSpec& spec, Contents& contents) {
    bool any = false;
    int64_t first = 0;
    for (const WeightPart& part : spec.parts) {
      const Shape shape = spec.shape.with(0, part.rows);
      if (peft_.saves(part.module()) && left_.erase(part.hugging_face) > 0) {
        if (spec.type.is_packed() && spec.parts.size() > 1) {
          throw Error("{}: {}: a part of a packed matrix cannot be replaced; load the model as f32",
                      file_.path().string(), part.hugging_face);
        }
        std::vector<float> values = floats(file_, prefixed(part.hugging_face), shape);
        contents.replaced.push_back({spec.name, first, std::move(values)});
        saved_.push_back(part.module());
        any = true;
      }
      first += shape.size();
    }
    return any;
  }

  void refuse_rest() const {
    if (left_.empty()) return;
    const std::string& name = *left_.begin();
    const auto refuse = [&](std::string_view why) {
      throw Error("{}: {}{}: {}", file_.path().string(), kPrefix, short_name(name), why);
    };
    if (name.find("lora_magnitude_vector") != std::string::npos) refuse("belongs to DoRA, which is not supported");
    if (name.find("lora_embedding") != std::string::npos || name.starts_with("lm_head.lora")) {
      refuse(
          "adapters of embeddings and heads are not supported, only of matrices of the blocks: merge them into the "
          "model "
          "with PEFT, or train these as a whole, in modules_to_save");
    }
    if (name.find(".lora_") != std::string::npos) refuse("the model has no such matrix");
    refuse("is neither an adapter nor a weight that modules_to_save names");
  }

  const Safetensors& file_;
  const PeftConfig& peft_;
  const ModelConfig& config_;
  std::set<std::string> left_;
  std::vector<std::string> saved_;  // The modules whose weights were read.
};

void write_values(const Store::Entry& entry, const Replacement& replacement, ThreadPool& pool) {
  if (entry.type.is_packed()) {
    const QuantizedMatrix matrix = quantize(entry.type, entry.shape, replacement.values.data(), pool);
    pack_quantized(entry.type, entry.shape, matrix.quants.data(), std::as_bytes(std::span(matrix.scales)).data(),
                   entry.data, pool);
  } else {
    std::ranges::copy(replacement.values, entry.as<float>().begin() + replacement.first);
  }
}

void replace_weights(Model& model, const Contents& contents, const std::optional<ThreadPool>& given) {
  if (contents.replaced.empty()) return;
  if (contents.unties) {
    model.config.tied_head = false;
    const WeightSpec head = weight_specs(model.config).back();
    const Store::Wanted wanted[] = {{head.name, head.type, head.shape}};
    model.weights->add(wanted);
    const Store::Entry& from = model.weights->at(weight_specs(model.config).front().name);
    std::memcpy(model.weights->at(head.name).data, from.data, from.bytes());
  }
  ThreadPool pool = given_or_new(given);
  for (const Replacement& replacement : contents.replaced) {
    // The head of a tied model is its embeddings.
    const Store::Entry* found = model.weights->find(replacement.name);
    const Store::Entry& entry = found != nullptr ? *found : model.weights->at(weight_specs(model.config).front().name);
    write_values(entry, replacement, pool);
    std::vector<std::string>& names = model.config.lora.replaced;
    if (names.empty() || names.back() != entry.name) names.push_back(entry.name);
  }
}

// Splits an old adapter: each part of the matrix gets the shared A and its own rows of B.
void load_old(Model& model, const std::filesystem::path& folder) {
  const Json json = load_json_object(folder / kOldConfigFile);
  Lora lora;
  read_field(json, "rank", lora.rank);
  read_field(json, "alpha", lora.alpha);
  read_field(json, "targets", lora.targets);
  ModelConfig adapted = model.config;
  adapted.lora = lora;
  check(adapted);
  const Safetensors file(folder / kOldWeightsFile);
  std::vector<AdapterPart> parts;
  for (const WeightSpec& spec : weight_specs(adapted)) {
    if (std::ranges::find(lora.targets, spec.lora_target) == lora.targets.end()) continue;
    const std::string name = spec.name.substr(0, spec.name.rfind('.'));
    const std::vector<float> a = floats(file, name + ".lora_a", {lora.rank, spec.shape[1]});
    const std::vector<float> b = floats(file, name + ".lora_b", {spec.shape[0], lora.rank});
    auto row = b.begin();
    for (const WeightPart& part : spec.parts) {
      parts.push_back({part.hugging_face, lora.rank, lora.scale(), a, {row, row + part.rows * lora.rank}});
      row += part.rows * lora.rank;
    }
  }
  add_adapters(model, parts);
  model.config.lora = lora;
}

// `target_modules` for a model's adapters: short names if all layers are alike, else the name of every module.
nlohmann::ordered_json json_of(const Model& model, const std::vector<WeightSpec>& adapters) {
  using OrderedJson = nlohmann::ordered_json;
  const Lora& lora = model.config.lora;
  OrderedJson ranks = OrderedJson::object(), alphas = OrderedJson::object();
  std::vector<std::string> targets, saved;
  for (const auto& [module, size] : lora.modules) {
    targets.push_back(module);
    ranks[module] = size.rank;
    alphas[module] = size.scale * static_cast<float>(size.rank);
  }
  for (const WeightSpec& spec : adapters) {
    if (!lora.modules.empty()) break;
    std::string module = spec.parts[0].module();  // "...q_proj.lora_A", or "...q_proj.lora_B".
    module = module.substr(0, module.rfind('.'));
    module = module.substr(module.rfind('.') + 1);
    if (std::ranges::find(targets, module) == targets.end()) targets.push_back(module);
  }
  for (const WeightSpec& spec : weight_specs(model.config)) {
    if (std::ranges::find(lora.replaced, spec.name) == lora.replaced.end()) continue;
    for (const WeightPart& part : spec.parts) saved.push_back(part.module());
  }
  const auto or_null = [](bool is_there, const OrderedJson& value) { return is_there ? value : OrderedJson(nullptr); };
  return {{"alpha_pattern", alphas},
          {"auto_mapping", nullptr},
          {"base_model_name_or_path", or_null(!model.base.empty(), model.base.string())},
          {"bias", "none"},
          {"ensure_weight_tying", model.config.tied_head && !saved.empty()},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", true},
          {"layers_pattern", nullptr},
          {"layers_to_transform", nullptr},
          {"lora_alpha", lora.alpha},
          {"lora_dropout", 0.0},
          {"modules_to_save", or_null(!saved.empty(), saved)},
          {"peft_type", "LORA"},
          {"r", lora.rank},
          {"rank_pattern", ranks},
          {"revision", nullptr},
          {"target_modules", targets},
          {"task_type", "CAUSAL_LM"},
          {"use_dora", false},
          {"use_rslora", lora.modules.empty() && lora.rslora}};
}

}  // namespace

void save_lora(const Model& model, const std::filesystem::path& folder) {
  check(model.config);
  const std::vector<WeightSpec> adapters = adapter_specs(model.config);
  if (adapters.empty()) throw Error("{}: the model has no adapters to save", folder.string());
  std::deque<std::vector<float>> unpacked;  // Storage that the tensors point to.
  std::vector<NamedTensor> tensors;
  const auto add = [&](const WeightSpec& spec, const float* values) {
    for (const WeightPart& part : spec.parts) {
      const Shape shape = spec.shape.with(0, part.rows);
      tensors.push_back({prefixed(part.hugging_face), f32, shape, values});
      values += shape.size();
    }
  };
  for (const WeightSpec& spec : adapters) add(spec, model.weights->at(spec.name).as<float>().data());
  for (const WeightSpec& spec : weight_specs(model.config)) {
    if (std::ranges::find(model.config.lora.replaced, spec.name) == model.config.lora.replaced.end()) continue;
    const Store::Entry& entry = model.weights->at(spec.name);
    if (!spec.type.is_packed()) {
      add(spec, entry.as<float>().data());
      continue;
    }
    std::vector<float>& values = unpacked.emplace_back(static_cast<size_t>(spec.shape.size()));
    for (int64_t row = 0; row < spec.shape[0]; ++row) {
      dequantize_row(spec.type, spec.shape, entry.data, row, values.data() + row * spec.shape[1]);
    }
    add(spec, values.data());
  }
  make_folder(folder);
  write_file(folder / kAdapterConfigFile, json_of(model, adapters).dump(2) + "\n");
  save_safetensors(folder / kAdapterWeightsFile, tensors, {{"format", "pt"}});
}

void load_lora(Model& model, const std::filesystem::path& folder, const std::optional<ThreadPool>& pool) {
  if (!is_there(folder / kAdapterConfigFile) && is_there(folder / kOldConfigFile)) return load_old(model, folder);
  const PeftConfig peft = load_peft_config(folder / kAdapterConfigFile);
  const Safetensors file(folder / kAdapterWeightsFile);
  const Contents contents = Reader(file, peft, model.config).read();
  if (contents.parts.empty()) throw Error("{}: no adapters for this model", file.path().string());
  add_adapters(model, contents.parts);
  replace_weights(model, contents, pool);
  // Keeps the original settings if they apply to every adapter.
  Lora& lora = model.config.lora;
  if (lora.modules.empty() && peft.ranks.empty() && peft.alphas.empty()) {
    lora.alpha = peft.alpha;
    lora.rslora = peft.rslora;
  }
}

bool has_adapters(const std::filesystem::path& folder) {
  return is_there(folder / kAdapterConfigFile) || is_there(folder / kOldConfigFile);
}

void remove_adapters(const std::filesystem::path& folder) {
  for (const char* file : {kAdapterConfigFile, kAdapterWeightsFile, kOldConfigFile, kOldWeightsFile}) {
    remove_file(folder / file);
  }
}

std::filesystem::path adapter_base(const std::filesystem::path& folder) {
  const std::filesystem::path config = folder / kAdapterConfigFile;
  const std::string base = load_peft_config(config).base;
  if (base.empty()) throw Error("{}: base_model_name_or_path: names no model", config.string());
  for (const std::filesystem::path& path : {folder / base, std::filesystem::path(base)}) {
    if (is_there(path)) return path;
  }
  throw Error("{}: base_model_name_or_path: there is no {}; download that model and name its folder there",
              config.string(), shortened(base));
}

}  // namespace tinyllm

#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/ops/quantized.h>

#include <cstring>

namespace tinyllm::test {

/// A copy of a model without adapters, with weights of these types.
inline Model packed_model(const Model& model, const WeightTypes& types) {
  ThreadPool pool(1);
  Model copy{model.config, model.tokenizer};
  copy.config.types = types;
  for (const WeightSpec& spec : weight_specs(copy.config)) {
    const Store::Wanted wanted[] = {{spec.name, spec.type, spec.shape}};
    copy.weights->add(wanted);
    const Store::Entry& from = model.weights->at(spec.name);
    const Store::Entry& to = copy.weights->at(spec.name);
    if (spec.type.is_packed()) {
      const QuantizedMatrix matrix = quantize(spec.type, spec.shape, from.as<float>().data(), pool);
      pack_quantized(spec.type, spec.shape, matrix.quants.data(), std::as_bytes(std::span(matrix.scales)).data(),
                     to.data, pool);
    } else {
      std::memcpy(to.data, from.data, from.bytes());
    }
  }
  return copy;
}

/// A copy of a packed model with the floats that its weights stand for.
inline Model unpacked_model(const Model& model) {
  Model copy{model.config, model.tokenizer};
  copy.config.types = {};
  for (const WeightSpec& spec : weight_specs(copy.config)) {
    const Store::Wanted wanted[] = {{spec.name, f32, spec.shape}};
    copy.weights->add(wanted);
    const Store::Entry& from = model.weights->at(spec.name);
    const std::span<float> to = copy.weights->at(spec.name).as<float>();
    if (from.type.is_packed()) {
      for (int64_t row = 0; row < spec.shape[0]; ++row) {
        dequantize_row(from.type, spec.shape, from.data, row, to.data() + row * spec.shape[1]);
      }
    } else {
      std::memcpy(to.data(), from.data, from.bytes());
    }
  }
  return copy;
}

}  // namespace tinyllm::test

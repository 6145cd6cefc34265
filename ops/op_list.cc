#include <tinyllm/ops/op_list.h>

namespace tinyllm {

std::span<const Op* const> all_ops() {
  static constexpr const Op* kOps[] = {
      &kLinear,       &kMatmul,       &kAdd,          &kMul,          &kScale,           &kSilu,    &kSiluGrad,
      &kGelu,         &kGeluGrad,     &kDropout,      &kRmsNorm,      &kRmsNormGrad,     &kSoftmax, &kSoftmaxGrad,
      &kRopeAngles,   &kRope,         &kAttention,    &kAttentionGrad, &kEmbedding,      &kEmbeddingGrad,
      &kCrossEntropy, &kCrossEntropyGrad, &kReshape,  &kPermute,      &kSlice,           &kSliceGrad, &kConcat,
      &kSplit,        &kSum,          &kClip,         &kAdamW,
  };
  return kOps;
}

}  // namespace tinyllm

#include <tinyllm/ops/op_list.h>

namespace tinyllm {

std::span<const Op* const> all_ops() {
  static constexpr const Op* kOps[] = {
      &kLinear,
      &kPackedLinear,
      &kMatmul,
      &kAdd,
      &kMul,
      &kScale,
      &kSilu,
      &kSiluGrad,
      &kGelu,
      &kGeluGrad,
      &kSwiglu,
      &kSwigluGrad,
      &kDropout,
      &kRmsNorm,
      &kRmsNormGrad,
      &kSoftmax,
      &kSoftmaxGrad,
      &kRopeAngles,
      &kRope,
      &kAttention,
      &kAttentionGrad,
      &kCachedAttention,
      &kEmbedding,
      &kEmbeddingGrad,
      &kCrossEntropy,
      &kCrossEntropyGrad,
      &kLinearCrossEntropy,
      &kTokenLogProbs,
      &kTokenLogProbsGrad,
      &kReshape,
      &kPermute,
      &kSlice,
      &kSliceGrad,
      &kConcat,
      &kSplit,
      &kSum,
      &kFlip,
      &kBroadcastTo,
      &kPad,
      &kTriangle,
      &kGather,
      &kGatherGrad,
      &kScatterAdd,
      &kIndexSelect,
      &kIndexSelectGrad,
      &kOneHot,
      &kArange,
      &kRandom,
      &kAccumulate,
      &kClip,
      &kAdamW,
      &kMuon,
  };
  return kOps;
}

Tensor append_gradient(const Op& op, Tensor x, Tensor dy) {
  return x.graph().append(op, {x, dy}, {{f32, x.shape()}})[0];
}

}  // namespace tinyllm

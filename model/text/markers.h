// The special tokens of the chat template for models that are trained here.
#pragma once

#include <array>
#include <string_view>

namespace tinyllm {

inline constexpr std::string_view kSystemMarker = "<|system|>";
inline constexpr std::string_view kUserMarker = "<|user|>";
inline constexpr std::string_view kAssistantMarker = "<|assistant|>";
inline constexpr std::string_view kSeparatorMarker = "<|sep|>";
inline constexpr std::array kMarkers = {kSystemMarker, kUserMarker, kAssistantMarker, kSeparatorMarker};
/// Ends an answer, and a document.
inline constexpr std::string_view kEndToken = "</s>";

}  // namespace tinyllm

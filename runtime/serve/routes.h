#pragma once

#include <tinyllm/runtime/serve/service.h>

#include <span>
#include <string_view>

namespace tinyllm {

/// An endpoint that works on its own thread. The others (/health, /metrics, the page) are in server.cc.
struct Route {
  const char* method;
  const char* path;  ///< One that ends with '/' stands for all that begin with it.
  EndpointFn answer;
  unsigned fields;  ///< The Endpoint whose fields the body has; 0: no body.
  ErrorStyle errors;
  const char* summary;
};

std::span<const Route> all_routes();
/// Null when no route has the path. `method_fits` tells whether one has the method too.
const Route* route_of(std::string_view method, std::string_view path, bool& method_fits);

}  // namespace tinyllm

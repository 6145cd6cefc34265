// GET /openapi.json: the routes and fields as an OpenAPI 3.1 document.
#include <tinyllm/runtime/serve/json_text.h>
#include <tinyllm/runtime/serve/routes.h>

#include <cmath>

namespace tinyllm {
namespace {

OrderedJson object_of(unsigned endpoint);

OrderedJson schema_of(const Field& field) {
  using Type = Field::Type;
  OrderedJson schema;
  switch (field.type) {
    case Type::flag:
      schema["type"] = "boolean";
      break;
    case Type::whole:
      schema["type"] = "integer";
      break;
    case Type::number:
      schema["type"] = "number";
      break;
    case Type::text:
      schema["type"] = "string";
      break;
    case Type::texts:
      schema["anyOf"] = {{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}};
      break;
    case Type::list:
      schema["type"] = "array";
      break;
    case Type::object:
      schema["type"] = "object";
      if (field.inner != 0) schema = object_of(field.inner);
      break;
    case Type::any:
    case Type::unserved:
      schema = OrderedJson::object();
      break;
  }
  const bool is_number = field.type == Type::whole || field.type == Type::number;
  if (is_number && std::isfinite(field.range.low)) {
    schema[field.range.excludes_low ? "exclusiveMinimum" : "minimum"] = field.range.low;
  }
  if (is_number && std::isfinite(field.range.high)) schema["maximum"] = field.range.high;
  if (field.fallback != nullptr && *field.fallback != '\0') schema["default"] = OrderedJson::parse(field.fallback);
  schema["description"] = field.type == Type::unserved ? std::string("Not supported. ") + field.meaning : field.meaning;
  return schema;
}

OrderedJson object_of(unsigned endpoint) {
  OrderedJson properties = OrderedJson::object(), required = OrderedJson::array();
  for (const Field& field : all_fields()) {
    if ((field.endpoints & endpoint) == 0) continue;
    properties[field.name] = schema_of(field);
    if (field.fallback == nullptr) required.push_back(field.name);
  }
  return {{"type", "object"}, {"properties", properties}, {"required", required}};
}

OrderedJson body_of(unsigned endpoint) {
  return {{"required", true}, {"content", {{"application/json", {{"schema", object_of(endpoint)}}}}}};
}

OrderedJson response_of(const char* description, const char* schema) {
  OrderedJson response = {{"description", description}};
  if (schema != nullptr) response["content"] = {{"application/json", {{"schema", {{"$ref", schema}}}}}};
  return response;
}

}  // namespace

void answer_openapi(Service& service, const std::shared_ptr<Call>& call) {
  OrderedJson paths = OrderedJson::object();
  for (const Route& route : all_routes()) {
    OrderedJson operation = {{"summary", route.summary}};
    std::string path = route.path;
    if (path.ends_with('/')) {
      path += "{model}";
      operation["parameters"] = OrderedJson::array(
          {OrderedJson{{"name", "model"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}}});
    }
    if (route.fields != 0) operation["requestBody"] = body_of(route.fields);
    operation["responses"] = {{"200", response_of("The reply.", nullptr)},
                              {"default", response_of("What is wrong.", "#/components/schemas/Error")}};
    const std::string method = route.fields != 0 ? "post" : "get";
    paths[path][method] = std::move(operation);
  }
  for (const char* path : {"/health", "/metrics"}) {
    paths[path]["get"] = {
        {"summary", path == std::string_view("/health") ? "Whether the server answers." : "Counters."},
        {"responses", {{"200", response_of("The reply.", nullptr)}}}};
  }
  const OrderedJson texts = {{"type", "string"}};
  const OrderedJson error = {
      {"type", "object"},
      {"properties",
       {{"error",
         {{"type", "object"},
          {"properties", {{"message", texts}, {"type", texts}, {"param", texts}, {"code", texts}}}}}}}};
  OrderedJson json = {
      {"openapi", "3.1.0"},
      {"info", {{"title", "tinyllm"}, {"version", TINYLLM_VERSION}}},
      {"paths", paths},
      {"components",
       {{"schemas", {{"Error", error}}}, {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  json["security"] = OrderedJson::array({OrderedJson{{"key", OrderedJson::array()}}});
  send_json(service, call, text_of(json));
}

}  // namespace tinyllm

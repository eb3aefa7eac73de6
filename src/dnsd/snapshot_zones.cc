#include "dnsd/snapshot_zones.h"

#include <boost/json.hpp>

namespace timepool::dnsd {
namespace json = boost::json;

Result<std::vector<LoadedZone>> zones_of(const snapshot::Snapshot& snapshot) {
  const std::string source = "snapshot " + std::to_string(snapshot.serial);
  const auto invalid = [&source](std::string detail) {
    return fail(Error{ErrorCode::kInvalid, source, std::move(detail)});
  };
  json::error_code error;
  json::monotonic_resource memory;
  const json::value payload = json::parse(snapshot.payload, error, &memory);
  if (error) return invalid("JSON: " + error.message());
  const json::object* object = payload.if_object();
  if (object == nullptr) return invalid("must be an object");
  const json::value* format_number = object->if_contains("format");
  if (format_number == nullptr || !format_number->is_int64() || format_number->get_int64() != 1) {
    return invalid("its format is not 1: made by a newer manager?");
  }
  const json::value* zones = object->if_contains("zones");
  if (zones == nullptr || !zones->is_object()) return invalid("has no zones");
  std::vector<LoadedZone> out;
  for (const auto& [name, document] : zones->get_object()) {
    const std::string origin(name.data(), name.size());
    auto zone = dns::load_zone(json::serialize(document), origin,
                               static_cast<std::uint32_t>(snapshot.serial));
    if (!zone.ok()) return invalid(dns::format(zone.error(), origin));
    out.push_back({std::make_shared<const dns::Zone>(std::move(zone).value()), source});
  }
  return out;
}

}  // namespace timepool::dnsd

#include "web/handed_out_input.h"

#include <fmt/format.h>

#include "web/json_input.h"

namespace timepool::web {
namespace {

// A zone's name as text, with escapes.
constexpr std::size_t kMaxZone = 1024;

Result<service::HandedOutCount> parse_count(const boost::json::object& object,
                                            const std::string& prefix) {
  TRY(only_fields(object, {"zone", "address", "count"}));
  const Fields fields(object, prefix);
  service::HandedOutCount out;
  out.zone = TRY(required(fields, "zone", fields.text("zone", kMaxZone)));
  const auto address = parse_ip(TRY(required(fields, "address", fields.text("address", 64))));
  if (!address.ok()) return fail(fields.error("address", "expected an IPv4 or IPv6 address"));
  out.address = address->unmapped();
  out.count = TRY(required(fields, "count", fields.integer("count", 1, service::kMaxHandedOut)));
  return out;
}

}  // namespace

Result<std::vector<service::HandedOutCount>> parse_handed_out(std::string_view body) {
  const boost::json::object object = TRY(parse_object(body));
  TRY(only_fields(object, {"counts"}));
  const Fields fields(object);
  const auto* counts = TRY(fields.array("counts", service::kMaxHandedOutCounts));
  if (counts == nullptr) return fail(fields.error("counts", "is missing"));
  std::vector<service::HandedOutCount> out;
  for (std::size_t i = 0; i < counts->size(); ++i) {
    const std::string place = fmt::format("counts[{}]", i);
    if (!(*counts)[i].is_object()) return fail(fields.error(place, "expected an object"));
    out.push_back(TRY(parse_count((*counts)[i].get_object(), place + ".")));
  }
  return out;
}

}  // namespace timepool::web

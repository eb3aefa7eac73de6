#include "monitord/messages.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "nts/server_name.h"

namespace timepool::monitord {
namespace {

namespace json = boost::json;

Error malformed(std::string_view what, std::string detail) {
  return {ErrorCode::kInvalid, "the manager's " + std::string(what), std::move(detail)};
}

Result<json::object> parse_object(std::string_view what, std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return fail(malformed(what, "not JSON: " + error.message()));
  if (!value.is_object()) return fail(malformed(what, "not a JSON object"));
  return std::move(value.get_object());
}

const json::value* member(const json::object& object, std::string_view key) {
  return object.if_contains({key.data(), key.size()});
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = member(object, key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The integer, or `absent` when there is none of that name.
std::optional<std::int64_t> integer_of(const json::object& object, std::string_view key,
                                       std::optional<std::int64_t> absent = std::nullopt) {
  const json::value* value = member(object, key);
  if (value == nullptr) return absent;
  boost::system::error_code error;
  const auto out = value->to_number<std::int64_t>(error);
  if (error) return std::nullopt;
  return out;
}

Result<NtsWork> parse_nts_work(const json::value& value) {
  if (!value.is_object()) return fail(malformed("work", "nts is not an object"));
  const json::object& object = value.get_object();
  const auto port = integer_of(object, "port");
  NtsWork out{text_of(object, "name"), 0, text_of(object, "trust")};
  if (!nts::is_server_name(out.name)) return fail(malformed("work", "nts without a name"));
  if (!port || *port < 1 || *port > 65535)
    return fail(malformed("work", "nts: a port out of range"));
  if (out.trust.empty()) return fail(malformed("work", "nts without trust"));
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

Result<Work> parse_work_item(const json::value& value) {
  if (!value.is_object()) return fail(malformed("work", "an item is not an object"));
  const json::object& object = value.get_object();
  const auto server = integer_of(object, "server");
  const auto port = integer_of(object, "port", 123);
  const auto samples = integer_of(object, "samples", 3);
  const auto address = parse_ip(text_of(object, "address"));
  if (!server) return fail(malformed("work", "an item has no server"));
  if (!address.ok()) return fail(malformed("work", "an item has no address"));
  if (!port || *port < 1 || *port > 65535) return fail(malformed("work", "a port out of range"));
  if (!samples || *samples < 1 || *samples > Work::kMaxSamples) {
    return fail(malformed("work", "the samples must be 1 to 16"));
  }
  Work out{*server,
           {*address, static_cast<std::uint16_t>(*port)},
           static_cast<int>(*samples),
           text_of(object, "ticket")};
  if (const json::value* nts = member(object, "nts")) out.nts = TRY(parse_nts_work(*nts));
  return out;
}

json::object json_of(const Sample& sample) {
  if (!sample.error.empty()) {
    json::object out{{"error", sample.error}};
    if (!sample.kod.empty()) out["kod"] = sample.kod;
    return out;
  }
  return {{"offset_s", sample.offset},
          {"rtt_s", sample.rtt},
          {"stratum", sample.stratum},
          {"leap", sample.leap},
          {"root_delay_s", sample.root_delay},
          {"root_dispersion_s", sample.root_dispersion},
          {"refid", sample.refid},
          {"precision", sample.precision}};
}

json::object json_of(const NtsResult& result) {
  json::object out{
      {"name", result.name}, {"port", result.port}, {"outcome", pool::name_of(result.outcome)}};
  if (result.code) out["code"] = *result.code;
  if (!result.detail.empty()) out["detail"] = result.detail;
  if (result.not_after) out["not_after"] = format_utc(*result.not_after, 0);
  if (result.cookies) out["cookies"] = *result.cookies;
  if (result.aead) out["aead"] = *result.aead;
  if (result.ke_took) out["ke_ms"] = result.ke_took->to_seconds() * 1e3;
  if (result.offset) out["offset_s"] = *result.offset;
  return out;
}

}  // namespace

Result<std::vector<Work>> parse_work(std::string_view text) {
  const json::object object = TRY(parse_object("work", text));
  const json::value* list = member(object, "work");
  if (list == nullptr || !list->is_array()) return fail(malformed("work", "no list \"work\""));
  if (list->get_array().size() > kMaxWork) return fail(malformed("work", "too many items"));
  std::vector<Work> out;
  for (const json::value& item : list->get_array()) out.push_back(TRY(parse_work_item(item)));
  return out;
}

std::string write_results(const std::vector<ProbeResult>& results) {
  json::array list;
  for (const ProbeResult& result : results) {
    json::array samples;
    for (const Sample& sample : result.samples) samples.push_back(json_of(sample));
    json::object item{{"server", result.server},
                      {"ticket", result.ticket},
                      {"time", format_utc(result.time, 6)},
                      {"samples", std::move(samples)}};
    if (result.nts) item["nts"] = json_of(*result.nts);
    list.push_back(std::move(item));
  }
  return json::serialize(json::object{{"results", std::move(list)}});
}

Result<Verdict> parse_verdict(std::string_view text) {
  const json::object object = TRY(parse_object("answer to results", text));
  const auto accepted = integer_of(object, "accepted");
  if (!accepted || *accepted < 0) {
    return fail(malformed("answer to results", "no count \"accepted\""));
  }
  Verdict out{static_cast<std::uint64_t>(*accepted), {}};
  const json::value* rejected = member(object, "rejected");
  if (rejected == nullptr || !rejected->is_array()) return out;
  for (const json::value& item : rejected->get_array()) {
    if (!item.is_object()) continue;
    const std::int64_t index = integer_of(item.get_object(), "index", 0).value_or(0);
    out.rejected.push_back(
        Verdict::Rejected{static_cast<std::uint64_t>(std::max<std::int64_t>(index, 0)),
                          text_of(item.get_object(), "reason")});
  }
  return out;
}

std::string error_message(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse({body.data(), body.size()}, error);
  if (!error && value.is_object()) {
    const json::value* inner = value.get_object().if_contains("error");
    if (inner != nullptr && inner->is_object()) {
      const std::string message = text_of(inner->get_object(), "message");
      if (!message.empty()) return message;
    }
  }
  constexpr std::size_t kShown = 200;
  return std::string(body.substr(0, kShown));
}

}  // namespace timepool::monitord

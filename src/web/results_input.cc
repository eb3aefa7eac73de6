#include "web/results_input.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "web/json_input.h"

namespace timepool::web {
namespace {

using pool::SampleError;
constexpr std::int64_t kMaxId = std::numeric_limits<std::int64_t>::max();

Result<SampleError> parse_error(const Fields& fields) {
  const auto text = TRY(fields.text("error", 32));
  if (!text || text->empty()) return SampleError::kNone;
  if (*text == "timeout") return SampleError::kTimeout;
  if (*text == "kod") return SampleError::kKissOfDeath;
  if (*text == "unreachable") return SampleError::kUnreachable;
  if (*text == "bogus") return SampleError::kBogus;
  return fail(fields.error("error", "expected timeout, kod, unreachable or bogus"));
}

std::string error_text(SampleError error, const std::string& kod) {
  constexpr std::array<std::string_view, 5> kNames{"", "timeout", "kod", "unreachable", "bogus"};
  std::string out(kNames[static_cast<std::size_t>(error)]);
  if (error == SampleError::kKissOfDeath && !kod.empty()) out += " " + kod;
  return out;
}

Result<service::ReportedSample> parse_sample(const boost::json::object& object,
                                             const std::string& prefix) {
  const Fields fields(object, prefix);
  service::ReportedSample out;
  out.sample.error = TRY(parse_error(fields));
  const std::string kod = TRY(fields.text("kod", 16)).value_or("");
  out.sample.kiss = pool::kiss_code_of(kod);
  store::SampleEntry& entry = out.entry;
  entry.error = error_text(out.sample.error, kod);
  // A difference of two clocks may be any number of years.
  entry.offset_s = TRY(fields.number("offset_s", -1e10, 1e10));
  // A round trip is at times a little below zero, by the resolution of clocks.
  entry.rtt_s = TRY(fields.number("rtt_s", -1, 3600));
  entry.stratum = TRY(fields.integer("stratum", 0, 255));
  entry.leap = TRY(fields.integer("leap", 0, 3));
  entry.root_delay_s = TRY(fields.number("root_delay_s", -65'536, 65'536));
  entry.root_dispersion_s = TRY(fields.number("root_dispersion_s", 0, 65'536));
  entry.refid = TRY(fields.text("refid", 64)).value_or("");
  entry.precision = TRY(fields.integer("precision", -128, 127));
  if (out.sample.answered()) {
    out.sample.offset_s = TRY(required(fields, "offset_s", Result(entry.offset_s)));
    out.sample.rtt_s = TRY(required(fields, "rtt_s", Result(entry.rtt_s)));
    out.sample.stratum =
        static_cast<std::uint8_t>(TRY(required(fields, "stratum", Result(entry.stratum))));
    out.sample.leap = static_cast<std::uint8_t>(entry.leap.value_or(0));
  }
  return out;
}

Result<std::optional<UnixTime>> time_of(const Fields& fields, std::string_view name) {
  const auto text = TRY(fields.text(name, 64));
  if (!text) return std::optional<UnixTime>();
  const auto parsed = parse_utc(*text);
  if (!parsed.ok()) return fail(fields.error(name, "expected UTC as 2026-01-31T12:34:56.789Z"));
  return std::optional<UnixTime>(*parsed);
}

Result<pool::NtsOutcome> parse_outcome(const Fields& fields) {
  const std::string text = TRY(required(fields, "outcome", fields.text("outcome", 32)));
  const auto outcome = pool::nts_outcome_named(text);
  if (!outcome) return fail(fields.error("outcome", "is none of the words of docs/api.md"));
  return *outcome;
}

Result<service::ReportedNts> parse_nts(const boost::json::object& object) {
  const Fields fields(object, "nts.");
  service::ReportedNts out;
  out.name = TRY(required(fields, "name", fields.text("name", 253)));
  out.port =
      static_cast<std::uint16_t>(TRY(required(fields, "port", fields.integer("port", 1, 65'535))));
  out.outcome = TRY(parse_outcome(fields));
  out.code = TRY(fields.integer("code", 0, 65'535));
  out.detail = TRY(fields.text("detail", service::kMaxNtsDetail)).value_or("");
  out.not_after = TRY(time_of(fields, "not_after"));
  out.cookies = TRY(fields.integer("cookies", 0, 1000));
  out.aead = TRY(fields.integer("aead", 0, 65'535));
  out.ke_ms = TRY(fields.number("ke_ms", 0, 3.6e6));
  out.offset_s = TRY(fields.number("offset_s", -1e10, 1e10));
  if (out.outcome != pool::NtsOutcome::kOk) return out;
  // What is called good has to say what was good.
  TRY(required(fields, "not_after", Result(out.not_after)));
  TRY(required(fields, "cookies", Result(out.cookies)));
  TRY(required(fields, "ke_ms", Result(out.ke_ms)));
  TRY(required(fields, "offset_s", Result(out.offset_s)));
  return out;
}

Result<service::ReportedResult> parse_result(const boost::json::object& object) {
  const Fields fields(object);
  service::ReportedResult out;
  out.server = TRY(required(fields, "server", fields.integer("server", 0, kMaxId)));
  out.ticket = TRY(required(fields, "ticket", fields.text("ticket", 128)));
  const std::string time = TRY(required(fields, "time", fields.text("time", 64)));
  const auto parsed = parse_utc(time);
  if (!parsed.ok()) return fail(fields.error("time", "expected UTC as 2026-01-31T12:34:56.789Z"));
  out.time = *parsed;
  const auto* samples = TRY(fields.array("samples", service::kMaxSamples));
  if (samples == nullptr || samples->empty()) {
    return fail(fields.error("samples", "expected at least one"));
  }
  for (std::size_t i = 0; i < samples->size(); ++i) {
    const std::string place = fmt::format("samples[{}]", i);
    const boost::json::value& sample = (*samples)[i];
    if (!sample.is_object()) return fail(fields.error(place, "expected an object"));
    out.samples.push_back(TRY(parse_sample(sample.get_object(), place + ".")));
  }
  if (const auto* nts = TRY(fields.object("nts"))) out.nts = TRY(parse_nts(*nts));
  return out;
}

}  // namespace

Result<std::vector<service::ReportedResult>> parse_results(std::string_view body) {
  const boost::json::object object = TRY(parse_object(body));
  TRY(only_fields(object, {"results"}));
  const Fields fields(object);
  const auto* results = TRY(fields.array("results", service::kMaxResults));
  if (results == nullptr) return fail(fields.error("results", "is missing"));
  std::vector<service::ReportedResult> out;
  for (const boost::json::value& value : *results) {
    if (!value.is_object()) return fail(fields.error("results", "expected an array of objects"));
    auto result = parse_result(value.get_object());
    if (result.ok()) {
      out.push_back(std::move(*result));
    } else {
      out.emplace_back().fault = result.error().text();
    }
  }
  return out;
}

}  // namespace timepool::web

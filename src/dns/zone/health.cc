#include "dns/zone/health.h"

#include <algorithm>
#include <boost/json.hpp>

#include "dns/zone/record_reader.h"

namespace timepool::dns {
namespace json = boost::json;

Result<HealthFile, ZoneError> load_health(std::string_view text) {
  if (text.size() > kMaxHealthText) {
    return fail(ZoneError{{}, "is longer than " + std::to_string(kMaxHealthText) + " bytes"});
  }
  json::stream_parser parser;
  json::error_code error;
  const std::size_t at = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) return fail(ZoneError{place_of(text, at), "JSON: " + error.message()});
  const json::value document = parser.release();
  const json::object* object = document.if_object();
  if (object == nullptr) return fail(ZoneError{{}, "must be an object of numbers"});
  HealthFile out;
  for (const auto& [key, value] : *object) {
    constexpr std::int64_t kHealthy = 2;
    const std::string_view name(key.data(), key.size());
    std::string why;
    const auto status = value.is_string() ? std::nullopt : integer_of(value, 0, 255, why);
    if (!status) {
      const JsonStep path[] = {JsonStep::member(name)};
      return fail(ZoneError{place_of(text, offset_of(text, path)),
                            std::string(name) + ": " + (why.empty() ? "must be a number" : why)});
    }
    out.insert_or_assign(std::string(name), *status == kHealthy);
  }
  return out;
}

bool is_healthy(std::string_view test, const HealthFiles& files) {
  const std::size_t slash = test.find('/');
  if (slash == std::string_view::npos) return false;
  const auto file = files.find(test.substr(0, slash));
  if (file == files.end()) return false;
  const auto status = file->second->find(test.substr(slash + 1));
  return status != file->second->end() && status->second;
}

bool has_tests(const Zone& zone) {
  return std::any_of(zone.labels.begin(), zone.labels.end(), [](const Label& label) {
    return std::any_of(label.sets.begin(), label.sets.end(),
                       [](const RecordSet& set) { return !set.tests.empty(); });
  });
}

Zone healthy_part(const Zone& zone, const HealthFiles& files) {
  Zone out = zone;
  for (Label& label : out.labels) {
    for (RecordSet& set : label.sets) {
      if (set.tests.empty()) continue;
      std::vector<ZoneRecord> left;
      for (std::size_t i = 0; i < set.records.size(); ++i) {
        if (set.tests[i].empty() || is_healthy(set.tests[i], files)) {
          left.push_back(std::move(set.records[i]));
        }
      }
      set.records = std::move(left);
      set.tests.clear();
    }
    std::erase_if(label.sets, [](const RecordSet& set) { return set.records.empty(); });
  }
  return out;
}

}  // namespace timepool::dns

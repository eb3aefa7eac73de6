// Health of records as geodns' files have it: "name.json" holds {"192.0.2.1": 2, ...} with 0 for
// unknown, 1 unhealthy, 2 healthy. A record that has a test (RecordSet::tests) is given only while
// it is healthy.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

inline constexpr std::size_t kMaxHealthText = std::size_t{16} << 20;

// What is healthy, by a record's key; false: unhealthy or unknown.
using HealthFile = std::map<std::string, bool, std::less<>>;
// By the file's name without ".json".
using HealthFiles = std::map<std::string, std::shared_ptr<const HealthFile>, std::less<>>;

// Errors: the place and what is wrong there.
Result<HealthFile, ZoneError> load_health(std::string_view json);

// Whether the file of `test` ("FILE/KEY") says that it is healthy; a test without a file isn't.
bool is_healthy(std::string_view test, const HealthFiles& files);

bool has_tests(const Zone& zone);
// The zone without the records whose tests fail. Where a set has none left, the client's next level
// is asked, as geodns does.
Zone healthy_part(const Zone& zone, const HealthFiles& files);

}  // namespace timepool::dns

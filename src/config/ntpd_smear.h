// [server.smear]: leap seconds spread over hours, for the clients of a closed environment.
#pragma once

#include <span>
#include <string>

#include "base/duration.h"
#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

enum class NtpSmearShape : unsigned char { kLinear, kCosine };

struct NtpSmearConfig {
  NtpSmearShape shape = NtpSmearShape::kLinear;
  Duration window = Duration::seconds(86'400);
  bool operator==(const NtpSmearConfig&) const = default;
};

extern const char* const kSmearDoc;
Schema<NtpSmearConfig> ntp_smear_schema();

// RFC 8633 3.7.1: why smeared time must not be served to those that `allow` admits; empty when all
// of them are in a closed environment. An empty list admits nobody.
std::string smear_audience_problem(std::span<const Prefix> allow);

struct NtpdConfig;
struct NtpServerConfig;
// Whether only this machine can ask.
bool serves_loopback_only(const NtpServerConfig& server);
// What [server.smear] needs of the other settings; empty when all is well.
std::string check_smear(const NtpdConfig& config);
// The same of [server.local] orphan.
std::string check_orphan(const NtpdConfig& config);

}  // namespace timepool::config

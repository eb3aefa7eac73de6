// The servers of a pool as DNS tells them: SRV records (RFC 2782) of key establishment (RFC 8915
// 7.1), how far DNS proves them, and which of them are followed. Pure judgement; look-ups are the
// caller's. LC1 to LC7: docs/nts-for-pools.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ntp/nts_source.h"

namespace timepool::ntp {

// No more records of one answer are looked at.
inline constexpr std::size_t kMaxTargets = 64;

// One SRV record. The target is a host name in lower case without the last dot; "." is nobody.
struct ServiceTarget {
  std::string target;
  std::uint16_t port = kKeyPort;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  bool operator==(const ServiceTarget&) const = default;
};

// What DNSSEC says of an answer (RFC 4035 4.3).
enum class DnsTrust : std::uint8_t {
  kSecure,    // signed, from a trust anchor on
  kInsecure,  // proved, or nobody says, that the zone is not signed
  kBogus,     // it should be signed, and the proof fails: stripped, expired, forged
};
// "secure", "insecure", "bogus".
std::string_view name_of(DnsTrust trust);

enum class ServiceStatus : std::uint8_t {
  kFound,
  kNone,    // there is no such name, or no such record
  kFailed,  // no answer, or that of a server that fails
};

// The answer to a look-up of service_name().
struct ServiceAnswer {
  ServiceStatus status = ServiceStatus::kFailed;
  DnsTrust trust = DnsTrust::kInsecure;
  // Whether the signatures were judged by a clock (docs/adr/0055).
  bool dates_checked = true;
  bool alias = false;  // there was a CNAME at the name
  std::string why;     // it is bogus, or failed
  std::vector<ServiceTarget> targets;
};

enum class ServiceVerdict : std::uint8_t {
  kUse,       // the targets without a fault
  kHost,      // no records are believed: keys are established with the pool's own name
  kNobody,    // the target is ".": the pool has no such service, and no other way is tried
  kNoRecord,  // DNS proves that there are none
  kAlias,
  kInsecure,
  kBogus,
  kFailed,
  kNoTarget,  // every target has a fault
};
// "use", "host", "nobody", "no_record", "alias", "insecure", "bogus", "failed", "no_target".
std::string_view name_of(ServiceVerdict verdict);

// Why a target is refused unseen.
enum class TargetFault : std::uint8_t { kNone, kName, kPort, kSuffix };
// "none", "bad_name", "port_0", "outside_suffix".
std::string_view name_of(TargetFault fault);

struct JudgedTarget {
  ServiceTarget target;
  TargetFault fault = TargetFault::kNone;
};

struct ServiceJudgement {
  ServiceVerdict verdict = ServiceVerdict::kFailed;
  std::vector<JudgedTarget> targets;  // each name once, in the order of the answer

  // Those without a fault.
  std::vector<ServiceTarget> usable() const;
};

// LC1: where the records are, as an absolute name: "_ntske._tcp.pool.example.".
std::string service_name(std::string_view pool);
// Letters, digits and hyphens in labels of 1 to 63, 253 octets in all.
bool is_host_name(std::string_view name);
// Whether `target` is as `suffix` says: "*.m.{pool}" wants one label before ".m.<pool>".
bool within_suffix(std::string_view target, std::string_view suffix, std::string_view pool);

// LC6, LC7. `settings.lookup` is not kAddresses.
ServiceJudgement judge(const ServiceAnswer& answer, const NtsSettings& settings,
                       std::string_view pool);

}  // namespace timepool::ntp

// ServiceResolver: SRV records and the addresses of their targets, with what DNSSEC says of them
// (RFC 4035 4.3), by libunbound as a validating resolver. Truncated answers are asked for again by
// TCP. Names are absolute: no search list is ever tried.
//
// It asks the servers that are configured, or those of /etc/resolv.conf, which is read again when
// it has changed, or resolves from the root on by itself. For one thread: the one that calls
// process(), when fd() is readable and when next_deadline() has passed; callbacks come from there
// alone. A callback may start look-ups but not destroy the resolver. A helper thread is started by
// the first look-up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/resolver.h"

namespace timepool::net {

// What is proved of an answer.
enum class DnsSecurity : std::uint8_t {
  kSecure,    // signed, from a trust anchor on
  kInsecure,  // proved not to be signed, or there is no trust anchor above it
  kBogus,     // it should be signed, and the proof fails
};
// "secure", "insecure", "bogus".
std::string_view name_of(DnsSecurity security);

struct SrvRecord {
  std::string target;  // in lower case, without the last dot; "." is the root
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
};

struct ServiceLookup {
  LookupStatus status = LookupStatus::kServFail;
  DnsSecurity security = DnsSecurity::kInsecure;
  std::string why;                 // in words: why it is bogus
  bool alias = false;              // the name is a CNAME (or below a DNAME)
  std::vector<SrvRecord> records;  // at most kMaxRecords
  std::optional<Duration> ttl;
};

struct AddressLookup {
  LookupResult found;  // addresses of a bogus answer are left out
  // The least of what is said of both families.
  DnsSecurity security = DnsSecurity::kInsecure;
  std::string why;
};

// By which time signatures are judged.
struct SignatureDates {
  bool checked = true;         // else any date is good (RFC 4035 5.3.1 is left out)
  std::optional<UnixTime> at;  // nothing: the system clock
  bool operator==(const SignatureDates&) const = default;
};

struct ServiceResolverOptions {
  std::vector<Endpoint> servers = {};  // empty: those of /etc/resolv.conf
  bool full_resolution = false;        // ask authoritative servers, from the root on
  // DS or DNSKEY records as text (net/trust_anchors.h). Without any nothing is secure.
  std::vector<std::string> anchors = {};
  Duration timeout = Duration::seconds(8);
};

class ServiceResolver {
 public:
  static constexpr std::size_t kMaxLookups = 256;
  static constexpr std::size_t kMaxRecords = 64;
  using ServiceDone = std::function<void(const ServiceLookup&)>;
  using AddressDone = std::function<void(const AddressLookup&)>;

  // Errors: kSystem, kInvalid for an anchor or a server that libunbound does not take.
  static Result<std::unique_ptr<ServiceResolver>> create(const ServiceResolverOptions& options);
  ~ServiceResolver();
  ServiceResolver(const ServiceResolver&) = delete;
  ServiceResolver& operator=(const ServiceResolver&) = delete;

  // For look-ups from now on; what was proved by other dates is forgotten.
  void set_dates(const SignatureDates& dates);
  const SignatureDates& dates() const;

  // `name` is absolute with or without its last dot. `done` is called once.
  void find_services(std::string_view name, MonoTime now, ServiceDone done);
  void find_addresses(std::string_view name, MonoTime now, AddressDone done);

  // -1 while nothing was looked up.
  int fd() const;
  MonoTime next_deadline() const;
  void process(MonoTime now);

 private:
  class Impl;
  explicit ServiceResolver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Asks once and waits: for command lines, never in a daemon's loop.
ServiceLookup find_services_blocking(ServiceResolver& resolver, std::string_view name);
AddressLookup find_addresses_blocking(ServiceResolver& resolver, std::string_view name);

}  // namespace timepool::net

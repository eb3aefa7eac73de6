// AddressBook: the addresses of one name, and what became of each. It decides which is used next.
//
// F1 all addresses are kept with the name; F2 the next unused one is taken on failure; F3 one that
// was dropped comes back only with a newer answer; F8 no TTL is looked at: an address in use stays
// whether it is still listed or not; F11 one that was dropped within the last day comes back only
// when nothing else is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "ntp/independence.h"

namespace timepool::ntp {

// More addresses of one name are not kept.
inline constexpr std::size_t kMaxAddresses = 64;
// F11.
inline constexpr Duration kDroppedFor = Duration::seconds(86'400);

enum class FamilyChoice : std::uint8_t { kBoth, kV4, kV6 };

// Why an address of an answer is not one of a server.
enum class AddressFault : std::uint8_t {
  kUnspecified,  // 0.0.0.0/8, ::
  kMulticast,
  kReserved,   // 240.0.0.0/4 and the broadcast address
  kLinkLocal,  // IPv6 without its interface, which DNS can't tell
  kFamily,     // not of the family that the source is limited to
  kOurs,       // this machine serves there itself
};
// "unspecified", "multicast", ...
std::string_view name_of(AddressFault fault);

// An IPv4-mapped address is judged as the IPv4 address. Loopback is no fault: a server may run
// there.
std::optional<AddressFault> fault_of(const Endpoint& server, FamilyChoice family,
                                     std::span<const Endpoint> ours);

enum class DropCause : std::uint8_t {
  kNone,       // never dropped
  kSilent,     // it did not answer, while others did (F5, F6)
  kUnproven,   // it did not answer, and nobody else was there to tell whether the network did
  kDenied,     // DENY or RSTR (B30)
  kUseless,    // it answered, but its time was of no use (F11)
  kRedundant,  // it depends on another that is in use
  kContested,  // no majority, and it agreed with the fewest
  kNoRoute,    // there is no way to its network
  kSurplus,    // fewer addresses are wanted
};
// "none", "silent", ...
std::string_view name_of(DropCause cause);

// What is known of one address.
struct AddressRecord {
  enum class State : std::uint8_t { kUnused, kInUse, kDropped };
  IpAddress address;
  State state = State::kUnused;
  bool listed = true;          // in the latest answer
  std::uint32_t unlisted = 0;  // answers in a row that did not have it
  std::optional<MonoTime> first_used;
  std::optional<MonoTime> last_used;    // when it was taken the last time
  std::optional<MonoTime> last_answer;  // brought usable time
  std::optional<MonoTime> dropped;      // the last time
  DropCause cause = DropCause::kNone;
  ServerIdentity identity;  // as far as it ever told; the address from the start
};

// What the next address is to be beside.
struct AddressWish {
  MonoTime now;
  std::uint16_t port = 0;
  std::span<const Endpoint> taken;         // not these: somebody asks them already
  std::span<const ServerIdentity> beside;  // rather independent of these
  bool route_v4 = true;
  bool route_v6 = true;
  // Not one dropped within the last day, nor one without a route: it is no emergency.
  bool only_good = false;
};

class AddressBook {
 public:
  // A literal's only address, always listed.
  void set_literal(const IpAddress& address);
  // A new answer, which is not empty; mapped addresses are unmapped, repetitions and those beyond
  // kMaxAddresses left out.
  void update(std::span<const IpAddress> addresses, MonoTime now);

  // One that an earlier run used: it is there, though no answer has had it yet.
  void remember(const IpAddress& address);
  // Answers in a row that did not have it; 0 when it is not known.
  std::uint32_t unlisted(const IpAddress& address) const;

  // The best address to use next, or nothing.
  std::optional<IpAddress> next(const AddressWish& wish) const;
  // How it would depend on those, by all that is known of it.
  Dependence dependence_of(const IpAddress& address, std::span<const ServerIdentity> beside) const;
  bool in_use(const IpAddress& address) const;
  std::size_t used() const;

  // These CHECK that the address is known.
  void use(const IpAddress& address, MonoTime now);
  void drop(const IpAddress& address, MonoTime now, DropCause cause);
  // It brought usable time, and told this of itself. True for the first answer since it was taken.
  bool answered(const ServerIdentity& server, MonoTime now);

  std::span<const AddressRecord> records() const { return records_; }

 private:
  AddressRecord* find(const IpAddress& address);
  static AddressRecord unused(const IpAddress& address);
  void forget(MonoTime now);

  std::vector<AddressRecord> records_;
  std::optional<MonoTime> last_update_;
};

}  // namespace timepool::ntp

#include "ntp/address_book.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace timepool::ntp {
namespace {

using State = AddressRecord::State;

bool is_multicast(const IpAddress& address) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  return address.is_v4() ? first >= 224 && first < 240 : first == 0xff;
}

bool is_v6_link_local(const IpAddress& address) {
  return !address.is_v4() && address.bytes()[0] == std::byte{0xfe} &&
         (address.bytes()[1] & std::byte{0xc0}) == std::byte{0x80};
}

// A wildcard address serves on every address of the machine, of which loopback is the one that is
// known without asking the system.
bool serves(const Endpoint& ours, const Endpoint& server) {
  if (ours.port != server.port) return false;
  return ours.address == server.address ||
         (ours.address.is_unspecified() && server.address.is_loopback());
}

bool has_route(const AddressWish& wish, const IpAddress& address) {
  return address.is_v4() ? wish.route_v4 : wish.route_v6;
}

Dependence worst_of(const ServerIdentity& server, std::span<const ServerIdentity> beside) {
  Dependence worst = Dependence::kNone;
  for (const ServerIdentity& it : beside) worst = std::max(worst, dependence(server, it));
  return worst;
}

// Dropped for good reason, and not long ago.
bool in_disgrace(const AddressRecord& record, MonoTime now) {
  return record.state == State::kDropped && record.cause != DropCause::kUnproven &&
         record.cause != DropCause::kContested && now - *record.dropped < kDroppedFor;
}

}  // namespace

std::string_view name_of(AddressFault fault) {
  constexpr std::string_view kNames[] = {"unspecified", "multicast",    "reserved",
                                         "link_local",  "wrong_family", "ours"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::string_view name_of(DropCause cause) {
  constexpr std::string_view kNames[] = {"none",      "silent",    "unproven", "denied", "useless",
                                         "redundant", "contested", "no_route", "surplus"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::optional<AddressFault> fault_of(const Endpoint& server, FamilyChoice family,
                                     std::span<const Endpoint> ours) {
  const IpAddress address = server.address.unmapped();
  if (address.is_unspecified()) return AddressFault::kUnspecified;
  if (address.is_v4()) {
    const std::uint32_t first = address.v4_bits() >> 24;
    if (first == 0) return AddressFault::kUnspecified;
    if (first >= 240) return AddressFault::kReserved;
  }
  if (is_multicast(address)) return AddressFault::kMulticast;
  if (is_v6_link_local(address)) return AddressFault::kLinkLocal;
  if (family != FamilyChoice::kBoth && address.is_v4() != (family == FamilyChoice::kV4)) {
    return AddressFault::kFamily;
  }
  const Endpoint unmapped{address, server.port, 0};
  const bool own = std::any_of(ours.begin(), ours.end(),
                               [&](const Endpoint& it) { return serves(it, unmapped); });
  return own ? std::optional(AddressFault::kOurs) : std::nullopt;
}

void AddressBook::set_literal(const IpAddress& address) {
  records_ = {unused(address)};
}

AddressRecord AddressBook::unused(const IpAddress& address) {
  AddressRecord out;
  out.address = address;
  out.identity.address = address;
  return out;
}

AddressRecord* AddressBook::find(const IpAddress& address) {
  const auto found = std::find_if(records_.begin(), records_.end(),
                                  [&](const AddressRecord& it) { return it.address == address; });
  return found == records_.end() ? nullptr : &*found;
}

void AddressBook::update(std::span<const IpAddress> addresses, MonoTime now) {
  last_update_ = now;
  for (AddressRecord& record : records_) record.listed = false;
  for (const IpAddress& mapped : addresses) {
    if (AddressRecord* known = find(mapped.unmapped()); known != nullptr) known->listed = true;
  }
  for (AddressRecord& record : records_) {
    record.unlisted = record.listed ? 0 : record.unlisted + 1;
  }
  forget(now);
  for (const IpAddress& mapped : addresses) {
    const IpAddress address = mapped.unmapped();
    if (records_.size() >= kMaxAddresses) break;
    if (find(address) == nullptr) records_.push_back(unused(address));
  }
}

void AddressBook::remember(const IpAddress& address) {
  if (find(address) != nullptr || records_.size() >= kMaxAddresses) return;
  records_.push_back(unused(address));
  records_.back().listed = false;
}

std::uint32_t AddressBook::unlisted(const IpAddress& address) const {
  for (const AddressRecord& record : records_) {
    if (record.address == address) return record.unlisted;
  }
  return 0;
}

// F3: the fresh list replaces the old one. What was dropped is remembered for a day, as far as half
// the room lets it be.
void AddressBook::forget(MonoTime now) {
  std::erase_if(records_, [&](const AddressRecord& record) {
    return !record.listed && (record.state == State::kUnused ||
                              (record.state == State::kDropped && !in_disgrace(record, now)));
  });
  while (records_.size() > kMaxAddresses / 2) {
    auto oldest = records_.end();
    for (auto it = records_.begin(); it != records_.end(); ++it) {
      if (it->listed || it->state != State::kDropped) continue;
      if (oldest == records_.end() || it->dropped < oldest->dropped) oldest = it;
    }
    if (oldest == records_.end()) return;
    records_.erase(oldest);
  }
}

std::optional<IpAddress> AddressBook::next(const AddressWish& wish) const {
  const AddressRecord* best = nullptr;
  std::tuple<bool, bool, Dependence, bool, MonoTime> least;
  for (const AddressRecord& record : records_) {
    if (!record.listed || record.state == State::kInUse) continue;
    const Endpoint server{record.address, wish.port, 0};
    if (std::find(wish.taken.begin(), wish.taken.end(), server) != wish.taken.end()) continue;
    const bool dropped = record.state == State::kDropped;
    // F3: only a newer answer brings it back.
    if (dropped && (!last_update_ || *record.dropped >= *last_update_)) continue;
    const std::tuple rank{in_disgrace(record, wish.now), !has_route(wish, record.address),
                          worst_of(record.identity, wish.beside), dropped,
                          dropped ? *record.dropped : MonoTime()};
    if (wish.only_good && (std::get<0>(rank) || std::get<1>(rank))) continue;
    // The first of equals: the order of the answer.
    if (best != nullptr && rank >= least) continue;
    best = &record;
    least = rank;
  }
  return best == nullptr ? std::nullopt : std::optional(best->address);
}

Dependence AddressBook::dependence_of(const IpAddress& address,
                                      std::span<const ServerIdentity> beside) const {
  for (const AddressRecord& record : records_) {
    if (record.address == address) return worst_of(record.identity, beside);
  }
  return worst_dependence(address, beside);
}

bool AddressBook::in_use(const IpAddress& address) const {
  return std::any_of(records_.begin(), records_.end(), [&](const AddressRecord& it) {
    return it.address == address && it.state == State::kInUse;
  });
}

std::size_t AddressBook::used() const {
  return static_cast<std::size_t>(
      std::count_if(records_.begin(), records_.end(),
                    [](const AddressRecord& it) { return it.state == State::kInUse; }));
}

void AddressBook::use(const IpAddress& address, MonoTime now) {
  AddressRecord* record = find(address);
  CHECK(record != nullptr);
  record->state = State::kInUse;
  if (!record->first_used) record->first_used = now;
  record->last_used = now;
}

void AddressBook::drop(const IpAddress& address, MonoTime now, DropCause cause) {
  AddressRecord* record = find(address);
  CHECK(record != nullptr);
  // Nothing was held against these: they stay as good as any.
  const bool spared = cause == DropCause::kNoRoute || cause == DropCause::kSurplus ||
                      cause == DropCause::kRedundant;
  record->state = spared ? State::kUnused : State::kDropped;
  record->dropped = now;
  record->cause = cause;
}

bool AddressBook::answered(const ServerIdentity& server, MonoTime now) {
  AddressRecord* record = find(server.address);
  CHECK(record != nullptr);
  const bool first = !record->last_answer || *record->last_answer < *record->last_used;
  record->last_answer = now;
  record->identity = server;
  return first;
}

}  // namespace timepool::ntp

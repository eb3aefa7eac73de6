#include "net/lookup_table.h"

#include <algorithm>

#include "wire/dns/name.h"

namespace timepool::net {
namespace {

bool matches(LookupFamily family, const IpAddress& address) {
  return family == LookupFamily::kBoth || (family == LookupFamily::kV4) == address.is_v4();
}

std::optional<LookupResult> answer_at_once(std::string_view name, LookupFamily family) {
  LookupResult result;
  if (const auto address = parse_ip(name); address.ok()) {
    result.status = matches(family, *address) ? LookupStatus::kOk : LookupStatus::kNoData;
    if (result.status == LookupStatus::kOk) result.addresses.push_back(*address);
    return result;
  }
  if (!wire::dns::DnsName::from_text(name).ok() || name.find('\0') != std::string_view::npos) {
    result.status = LookupStatus::kBadName;
    return result;
  }
  return std::nullopt;
}

}  // namespace

LookupTable::Added LookupTable::add(std::string_view name, LookupFamily family, MonoTime deadline,
                                    Resolver::Callback callback) {
  const LookupId id = next_++;
  std::optional<LookupResult> result = answer_at_once(name, family);
  if (!result && lookups_.size() >= Resolver::kMaxLookups) {
    result.emplace().status = LookupStatus::kBusy;
  }
  if (result) {
    ready_.push_back({id, std::move(callback), std::move(*result)});
    return {id, false};
  }
  lookups_.emplace(id, Lookup{deadline, std::move(callback)});
  return {id, true};
}

void LookupTable::finish(LookupId id, LookupResult result) {
  const auto found = lookups_.find(id);
  if (found == lookups_.end()) return;
  ready_.push_back({id, std::move(found->second.callback), std::move(result)});
  lookups_.erase(found);
}

void LookupTable::cancel(LookupId id) {
  lookups_.erase(id);
  std::erase_if(ready_, [&](const Ready& ready) { return ready.id == id; });
}

LookupId LookupTable::expired(MonoTime now) const {
  if (lookups_.empty() || lookups_.begin()->second.deadline > now) return 0;
  return lookups_.begin()->first;
}

MonoTime LookupTable::next_deadline() const {
  if (!ready_.empty()) return MonoTime();
  return lookups_.empty() ? MonoTime::max() : lookups_.begin()->second.deadline;
}

void LookupTable::run_callbacks() {
  // What a callback starts that is answered on the spot waits for the next turn.
  for (std::size_t left = ready_.size(); left > 0 && !ready_.empty(); --left) {
    const Ready ready = std::move(ready_.front());
    ready_.pop_front();
    ready.callback(ready.result);
  }
}

void add_address(LookupResult& result, const IpAddress& address) {
  const auto& known = result.addresses;
  if (known.size() < Resolver::kMaxAddresses &&
      std::find(known.begin(), known.end(), address) == known.end()) {
    result.addresses.push_back(address);
  }
}

}  // namespace timepool::net

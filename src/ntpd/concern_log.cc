#include "ntpd/concern_log.h"

#include "base/check.h"

namespace timepool::ntpd {

void ConcernLog::note(std::size_t reason, std::string_view name, const Advice& advice,
                      std::uint64_t count, const Endpoint& from, MonoTime now) {
  CHECK(reason < warned_.size());
  Warned& warned = warned_[reason];
  if (!advice.concern || count <= warned.count) return;
  if (warned.count > 0 && now - warned.at < kInterval) return;
  logger_.warning("{} from {}: {}; {} since the last such line", name, format(from), advice.meaning,
                  count - warned.count);
  warned = {now, count};
}

}  // namespace timepool::ntpd

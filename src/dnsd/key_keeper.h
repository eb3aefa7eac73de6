// KeyKeeper: the keys of all zones that are signed. It looks after each (zone_keyring.h), asks a
// resolver for the DS of those that wait for their parent, and hands out the keys of all as one
// value. One process at a time rolls the keys of a directory: it holds the lock of the file `lock`
// there; another one, as in a take-over, uses what the first writes until that has ended. Methods
// may be called from any thread; no query ever waits for them.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/dnsd_dnssec.h"
#include "dnsd/zone_keyring.h"
#include "net/metrics.h"
#include "sys/fd.h"

namespace timepool::dnsd {

class KeyKeeper {
 public:
  // Threads that make the first keys of zones: each waits for the disk most of the time, which
  // writes down what all of them want at once.
  static constexpr std::size_t kMakers = 32;
  // How often a zone's DS is asked for while it waits for its parent; more often where its TTL is
  // shorter.
  static constexpr Duration kParentInterval = Duration::seconds(600);
  static constexpr Duration kParentTimeout = Duration::seconds(2);

  using Keys = std::shared_ptr<const dnssec::KeysByZone>;
  // Told of other keys, by the thread that found them, under the keeper's lock: the last word is
  // the newest, and it must not call back. A zone that is to be signed has null while it has none.
  using Changed = std::function<void(const Keys& keys)>;

  // Errors: the directory of `config` can't be used. Without zones in it nothing is ever done.
  static Result<std::unique_ptr<KeyKeeper>> create(const config::DnsdDnssecConfig& config,
                                                   sys::Logger& logger, Changed changed);

  // Zones that are going to be served: when it returns, all that are to be signed have keys, or are
  // told to have none. Those that were served before keep theirs until serve().
  void expect(const std::vector<wire::dns::DnsName>& zones);
  // They are served from now on, and no others.
  void serve(const std::vector<wire::dns::DnsName>& zones);
  // Does what is due for the zones that are served: each second, by one thread. It may wait for a
  // resolver, kParentTimeout at the most.
  void look();
  // Another process rolls the keys from now on, and until resume(); this one uses what it writes.
  void leave();
  void resume();
  // Errors: as create; nothing changes.
  Result<void> reconfigure(const config::DnsdDnssecConfig& config);
  // Never null.
  Keys keys() const;

  // Commands of the control socket (timepool dns keys): {"zone"?: text, ...}. Errors: kNotFound for
  // a zone that is not signed here, kInvalid, and those of ZoneKeyring.
  Result<boost::json::object> list(const boost::json::object& request);
  // {"zone", "early"?}: DS records as text.
  Result<boost::json::object> ds(const boost::json::object& request);
  // {"zone", "tag"? or "role"?, "emergency"?}
  Result<boost::json::object> roll(const boost::json::object& request);
  // {"zone", "tag"}
  Result<boost::json::object> retire(const boost::json::object& request);
  // {"zone", "tags": []}
  Result<boost::json::object> ds_seen(const boost::json::object& request);
  // {"zone"}: looks at the zone now, also before it is served.
  Result<boost::json::object> generate(const boost::json::object& request);

  void write_metrics(net::MetricSink& sink) const;

 private:
  KeyKeeper(const config::DnsdDnssecConfig& config, sys::Logger& logger, Changed changed);
  ZoneKeyring::Now now();
  ZoneKeyring* ring_for(const wire::dns::DnsName& zone);
  void make_first_keys(std::vector<ZoneKeyring*> rings, const ZoneKeyring::Now& now);
  void forget_others();
  void ask_parents();
  void publish();  // under mutex_
  ZoneKeyring* find(const std::string& zone);
  Result<ZoneKeyring*> ring_of(const boost::json::object& request);
  Result<boost::json::object> after_command(ZoneKeyring& ring, const ZoneKeyring::Now& now);
  Result<boost::json::object> retire_keys(const boost::json::object& request, bool tag_needed);

  sys::Logger& logger_;
  Changed changed_;
  mutable std::mutex mutex_;
  config::DnsdDnssecConfig config_;
  std::unique_ptr<crypto::DnsKeyDirectory> directory_;
  std::array<std::byte, 16> boot_;  // this run of the kernel
  sys::Fd lock_;                    // held: this process alone rolls the directory's keys
  bool left_ = false;               // another is to have it
  std::vector<wire::dns::DnsName> served_;
  std::vector<wire::dns::DnsName> expected_;
  std::map<std::string, std::unique_ptr<ZoneKeyring>> rings_;  // by the zone as text
  std::map<std::string, MonoTime> asked_;                      // when its DS was asked for last
  std::string resolver_problem_;
  Keys keys_;
};

// As `list` tells it.
boost::json::object keyring_report(const ZoneKeyring& ring);

}  // namespace timepool::dnsd

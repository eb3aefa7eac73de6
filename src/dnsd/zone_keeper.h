// ZoneKeeper: what is served and where it comes from. It joins the zones of files and of the
// snapshot with the geography, compiles them, and publishes the result for the workers. Whatever
// fails to load leaves what was served before. Methods may be called from any thread; each that
// changes something holds a lock that no query ever waits for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/dnsd.h"
#include "dns/responder.h"
#include "dnsd/accounting.h"
#include "dnsd/cookie_seed.h"
#include "dnsd/geography.h"
#include "dnsd/health_directory.h"
#include "dnsd/key_keeper.h"
#include "dnsd/serving.h"
#include "dnsd/signing_keeper.h"
#include "dnsd/snapshot_zones.h"
#include "dnsd/transfer_keeper.h"
#include "dnsd/zone_directory.h"
#include "net/published.h"
#include "sys/log.h"

namespace timepool::dnsd {

struct ZoneReport {
  std::string zone;
  std::uint32_t serial = 0;
  std::uint32_t names = 0;
  std::size_t classes = 0;   // of clients that it tells apart
  std::size_t networks = 0;  // runs of addresses of one class
  std::string source;
  std::vector<std::string> warnings;
};

struct KeeperReport {
  std::vector<ZoneReport> zones;
  std::vector<std::string> problems;  // that hold now
  std::vector<GeoFile> geoip;
  std::uint64_t snapshot_serial = 0;
  std::size_t memory = 0;  // bytes of the compiled zones
  double last_compile_s = 0;
  std::uint64_t compiles = 0;
};

class ZoneKeeper {
 public:
  // Reads everything that `config` names. Errors: geography or the zone directory can't be read.
  // A wrong zone file is logged and left out.
  // `lanes` threads will answer.
  static Result<std::unique_ptr<ZoneKeeper>> create(const config::DnsdConfig& config,
                                                    std::size_t lanes, sys::Logger& logger);
  ~ZoneKeeper();

  // Takes in zone files and geographic files that changed, and makes new versions of what other
  // servers copy where keys or signatures ask for it. Cheap when nothing is to be done.
  void scan();
  // Called with every zone now, and then with those that changed after they are served, under the
  // keeper's lock: it must not call back. None: nobody is told any more.
  using OnChange = std::function<void(const std::vector<std::shared_ptr<const dns::ZoneVersion>>&)>;
  void tell_changes(OnChange on_change);
  // Replaces the zones of the snapshot. Errors: they do not load or compile; nothing changes.
  Result<void> take_snapshot(const snapshot::Snapshot& snapshot);
  // Takes in [geoip], [zones] and the answers' settings. Errors: as create; nothing changes.
  Result<void> reconfigure(const config::DnsdConfig& config);

  // From now on zones that `signing` has keys for are served when it has signed them, by
  // publish_signed(). It must outlive this object's calls.
  void sign_with(SigningKeeper& signing);
  // From now on `keys` knows of zones before they are served. It must outlive this object's calls.
  void keys_by(KeyKeeper& keys);
  void publish_signed(std::shared_ptr<const dns::CompiledZones> zones,
                      std::shared_ptr<const dns::SignedZones> signed_zones);

  // The keys of signed zones, for what other servers copy: scan() takes them in.
  void take_keys(std::shared_ptr<const dnssec::KeysByZone> keys);
  // Begins to sign zones for other servers.
  void start_transfers() { transfer_signer_->start(); }
  TransferReport transfers() const;

  net::Published<Serving>& serving() { return serving_; }
  // The newest zones, which may be waiting for their signatures.
  std::shared_ptr<const dns::CompiledZones> zones() const;
  // What is answered from now, and the documents of its zones; for explanations.
  struct Answered {
    Serving serving;
    // In the order of serving.zones->zones().
    std::shared_ptr<const std::vector<LoadedZone>> documents;
  };
  Answered now() const;
  KeeperReport report() const;
  // What was answered, over all that was served.
  Accounting& accounting() { return accounting_; }

 private:
  // Everything that a compilation is made from.
  struct Inputs {
    Geography geography;
    std::shared_ptr<const CountryTable> countries;  // of the geography
    std::vector<std::string> geography_stamps;      // of its files, as they were read
    ZoneDirectory directory{""};
    HealthDirectory health{""};
    std::vector<LoadedZone> snapshot;
    std::uint64_t snapshot_serial = 0;
  };

  ZoneKeeper(const config::DnsdConfig& config, std::size_t lanes, sys::Logger& logger);
  std::vector<LoadedZone> joined(const Inputs& inputs) const;
  Result<void> compile_and_publish(const Inputs& inputs);
  void take_compiled(std::vector<LoadedZone> zones);
  Result<void> read_geography(const config::DnsdGeoipConfig& config, Inputs& inputs);
  void log_scan(const ZoneDirectory::Scan& scan);
  // What is served from now on; publish() tells the workers.
  void turn_to(std::shared_ptr<const dns::CompiledZones> zones,
               std::shared_ptr<const dns::SignedZones> signed_zones);
  // What is served, with the settings and secrets of now.
  void publish();
  // Tells of versions whose serial our own answers have by now: who is told asks for that first.
  void tell(const TransferKeeper::Versions& more);
  void give_transfers_new_keys();
  void take_transfer(const std::string& zone,
                     const std::shared_ptr<const dns::ZoneVersion>& version);
  // Whether a zone that is tested may have other records now.
  bool health_changed(Inputs& inputs);
  void scan_geography();
  void note(std::string& slot, std::string problem);

  sys::Logger& logger_;
  CookieSeed cookie_seed_;
  std::uint32_t cookie_epoch_ = 0;  // of the secrets published
  mutable std::mutex mutex_;
  config::DnsdConfig config_;
  std::unique_ptr<TransferSigner> transfer_signer_;
  TransferKeeper transfers_;
  std::mutex new_keys_mutex_;
  std::shared_ptr<const dnssec::KeysByZone> new_keys_;  // that transfers_ does not have yet
  OnChange on_change_;
  // Versions that nobody is told of yet, by zone_key(): answers are signed by another thread.
  std::map<std::string, std::shared_ptr<const dns::ZoneVersion>> untold_;
  Inputs inputs_;
  dns::ClassCache classes_;
  // What was compiled, from which documents.
  struct Edition {
    std::shared_ptr<const dns::CompiledZones> zones;
    std::shared_ptr<const std::vector<LoadedZone>> documents;
  };
  void keep_edition(Edition edition);
  std::shared_ptr<const std::vector<LoadedZone>> documents_of(
      const dns::CompiledZones& zones) const;
  // All that somebody still has; compiled_ is the last one.
  std::vector<Edition> editions_;
  std::shared_ptr<const dns::CompiledZones> compiled_;
  // What is served of them: the same, or an older one while the newest is being signed.
  std::shared_ptr<const dns::CompiledZones> answered_;
  std::shared_ptr<const dns::SignedZones> signed_;
  SigningKeeper* signing_ = nullptr;
  KeyKeeper* keys_ = nullptr;
  Accounting accounting_;
  std::shared_ptr<Tally> tally_;  // of what is answered
  std::shared_ptr<const CountryTable> countries_;
  std::shared_ptr<const Guard> guard_;
  std::string directory_problem_;
  std::string geography_problem_;
  std::string compile_problem_;
  double last_compile_s_ = 0;
  std::uint64_t compiles_ = 0;
  std::uint64_t scans_ = 0;
  net::Published<Serving> serving_;
};

}  // namespace timepool::dnsd

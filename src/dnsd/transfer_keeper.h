// TransferKeeper: the zones' records as other name servers copy them, with what changed lately, and
// the serials that say so. Kept only while [transfer] lets anybody have them or tells anybody. One
// thread at a time.
//
// A zone has a new serial whenever what others copy changes: its document, the health of its
// servers, its keys, signatures that are made anew. Our own answers have the same: plan() gives the
// zones that are to be compiled their serials. What has no keys is given on at once; what has, when
// TransferSigner has signed it. Nothing is given on before it is in the journal.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/dnsd.h"
#include "dns/transfer/signed_version.h"
#include "dns/transfer/zone_export.h"
#include "dnsd/transfer_journal.h"
#include "dnsd/transfer_signer.h"
#include "dnsd/transfers.h"
#include "dnsd/zone_directory.h"

namespace timepool::dnsd {

struct TransferReport {
  struct Zone {
    std::string name;
    std::uint32_t serial = 0;  // that others may have
    std::size_t differences = 0;
    bool is_signed = false;
  };
  bool active = false;  // [transfer] says anything
  std::vector<Zone> zones;
  std::uint64_t versions = 0;  // that others might have
  JournalCounts journal;
  TransferSignerCounts signing;
  std::array<std::uint64_t, kTransferEnds> ends{};
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
  std::uint64_t unproved = 0;
};

class TransferKeeper {
 public:
  using Versions = std::vector<std::shared_ptr<const dns::ZoneVersion>>;
  struct Now {
    MonoTime mono;
    std::uint32_t unix_time = 0;  // seconds modulo 2^32
  };
  // Between two versions of a zone that differ in signatures made anew alone.
  static constexpr Duration kLeastBetween = Duration::seconds(10);
  // How long a zone that is led out of DNSSEC is without keys until it is given on unsigned: when a
  // process begins its keys come a little after its zones.
  static constexpr Duration kUnsignWait = Duration::seconds(10);

  // `signer` outlives this.
  TransferKeeper(const config::DnsdConfig& config, TransferSigner& signer, sys::Logger& logger);

  void reconfigure(const config::DnsdConfig& config);
  void take_keys(std::shared_ptr<const dnssec::KeysByZone> keys);

  struct Tracked {
    std::shared_ptr<const dns::Zone> document;        // null: it is to be looked at again
    std::shared_ptr<const dns::Zone> served;          // the document with the serial
    std::shared_ptr<const dns::ZoneVersion> data;     // unsigned, what is or will be given on
    std::shared_ptr<const dnssec::ZoneKeys> keys;     // by which that is or will be signed
    std::optional<std::uint32_t> serial;              // the last that was given
    std::shared_ptr<const dns::ZoneHistory> history;  // null: nothing is given on yet
    dns::SignatureState state;                        // of its current version
    MonoTime since;
    MonoTime decided;
    std::uint32_t expire = dns::kAnyExpire;  // the longest of the SOA
    bool due = false;                        // `data` is not in `history` yet
    bool fresh = false;                      // it was decided by this plan
  };
  using Plan = std::map<std::string, Tracked>;  // by zone_key()
  // Of `zones` as they will be served; each gets its serial. Nothing is changed until commit().
  Plan plan(std::vector<LoadedZone>& zones, const Now& now);
  // These are served now. Returns the new versions that may be copied at once.
  Versions commit(Plan plan);
  // Whether plan() would find something to do though no zone changed.
  bool wants_plan(const Now& now);
  // A zone that TransferSigner signed. False: it is not wanted any more.
  bool take_signed(const std::string& zone, const std::shared_ptr<const dns::ZoneVersion>& version);

  // Null: nobody may have anything, and there are no keys.
  std::shared_ptr<const Transfers> current() const { return current_; }
  TransferReport report() const;
  // What is wrong now; empty: nothing.
  const std::string& problem() const { return journal_->problem(); }

 private:
  // What a zone is given on with; nothing while that is not known.
  struct Wanted {
    std::shared_ptr<const dnssec::ZoneKeys> keys;  // null: unsigned
  };
  std::optional<Wanted> wanted_of(const wire::dns::DnsName& zone, const Tracked& tracked,
                                  const Now& now) const;
  Tracked first_seen(const dns::Zone& zone, const Now& now);
  void decide(const LoadedZone& loaded, const Now& now, Tracked& out) const;
  bool signatures_due(const Tracked& tracked, const Now& now) const;
  void give_on(Tracked& tracked, std::shared_ptr<const dns::ZoneVersion> version);
  void renew_current();

  TransferSigner& signer_;
  sys::Logger& logger_;
  std::shared_ptr<const TransferRules> rules_;
  std::shared_ptr<TransferCounters> counters_ = std::make_shared<TransferCounters>();
  config::DnsdDnssecConfig dnssec_;
  dnssec::SignatureTimes times_;
  std::unique_ptr<TransferJournal> journal_;
  std::shared_ptr<const dnssec::KeysByZone> keys_ = std::make_shared<dnssec::KeysByZone>();
  bool wanted_ = false;     // versions
  bool has_rules_ = false;  // or keys
  bool dirty_ = false;
  Plan tracked_;
  std::uint64_t versions_ = 0;
  std::shared_ptr<const Transfers> current_;
};

}  // namespace timepool::dnsd

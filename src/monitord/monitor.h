// Monitor: joins the parts of timepool-monitord on one reactor: judges its own clock, takes work
// while that is good, probes, and reports.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/monitord.h"
#include "monitord/nts_prober.h"
#include "monitord/prober.h"
#include "monitord/reporter.h"
#include "monitord/sanity.h"
#include "monitord/work_source.h"
#include "net/control.h"
#include "net/reactor.h"
#include "sys/log.h"

namespace timepool::monitord {

class Monitor {
 public:
  // Opens the spool and the control socket. The arguments must outlive it.
  static Result<std::unique_ptr<Monitor>> create(const config::MonitordConfig& config,
                                                 net::Reactor& reactor, sys::Logger& log);
  ~Monitor();

  // For the control socket.
  boost::json::object status() const;

 private:
  Monitor(const config::MonitordConfig& config, net::Reactor& reactor, sys::Logger& log,
          Spool spool, std::unique_ptr<const AeadMaker> aeads, std::unique_ptr<NtsProber> nts);
  void start_sanity_check();
  void sanity_answer(std::size_t index, const std::vector<Sample>& samples);
  void take_verdict(SanityVerdict verdict);
  void take_work(std::vector<Work> work);
  void probe(const Work& work);
  void take_samples(const Work& work, std::vector<Sample> samples);
  void check_nts(const NtsWork& work, const IpAddress& server, ProbeResult result);
  void update_allowance();
  boost::json::object nts_status() const;

  const config::MonitordConfig& config_;
  net::Reactor& reactor_;
  sys::Logger& log_;
  Prober prober_;
  std::unique_ptr<const AeadMaker> aeads_;
  std::unique_ptr<NtsProber> nts_;
  Reporter reporter_;
  WorkSource work_;

  SanityVerdict sanity_{false, "not checked yet"};
  std::vector<bool> sanity_agreeing_;
  std::size_t sanity_missing_ = 0;  // answers of the check under way
  net::Timer sanity_timer_;
  std::uint64_t probes_ = 0;
  std::uint64_t void_probes_ = 0;  // nothing to say, by a fault of ours
  std::uint64_t nts_checks_ = 0;
  std::uint64_t void_nts_checks_ = 0;  // the same
  std::array<std::uint64_t, pool::kNtsOutcomes> nts_outcomes_{};
  std::unique_ptr<net::ControlServer> control_;
};

// The whole program but for its command line: 0, or 1 with the reason logged. SIGHUP reads the file
// again and starts the monitor anew with it; what is spooled stays, checks under way are dropped.
int run_monitor(config::MonitordConfig config, const std::string& config_path);

}  // namespace timepool::monitord

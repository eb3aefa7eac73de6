#include "monitord/monitor.h"

#include <algorithm>
#include <csignal>

#include "crypto/aead.h"
#include "net/daemon_frame.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/random.h"
#include "sys/signal_flag.h"

namespace timepool::monitord {
namespace {

namespace json = boost::json;
using Mode = config::MonitordConfig::SanityMode;

constexpr int kSanitySamples = 3;

SiphashKey random_key() {
  return {sys::random_u64(), sys::random_u64()};
}

Mode effective_mode(const config::MonitordConfig::Sanity& sanity) {
  if (sanity.mode != Mode::kAuto) return sanity.mode;
  return sanity.servers.empty() ? Mode::kKernel : Mode::kServers;
}

Prober::Options prober_options(const config::MonitordConfig::Probe& probe) {
  return {probe.max_parallel, probe.spacing, probe.timeout};
}

NtsProber::Options nts_options(const config::MonitordConfig& config) {
  NtsProber::Options out;
  out.max_parallel = config.nts.max_parallel;
  out.key_timeout = config.nts.timeout;
  out.spacing = config.probe.spacing;
  out.answer_timeout = config.probe.timeout;
  out.look_up = config.nts.look_up;
  out.resolvers = config.nts.resolvers;
  for (const auto& it : config.nts.trust) out.trust[it.word] = it.file;
  return out;
}

// The configuration file's present content into `config`; when it is wrong, `config` stays.
void take_in(const std::string& path, config::MonitordConfig& config, sys::Logger& log) {
  auto next = config::load(config::monitord_schema(), path);
  if (!next.ok()) {
    log.error("reload: {}; the configuration stays as it was", config::format(next.error()));
    return;
  }
  config = std::move(next).value();
  log.set_level(config.log_level);
  log.info("configuration reloaded");
}

}  // namespace

Result<std::unique_ptr<Monitor>> Monitor::create(const config::MonitordConfig& config,
                                                 net::Reactor& reactor, sys::Logger& log) {
  TRY(reactor.enable_post());
  Spool spool =
      TRY(Spool::open(config.spool.directory, static_cast<std::uint64_t>(config.spool.max_bytes)));
  if (const Spool::Counts counts = spool.counts(); counts.batches > 0) {
    log.info("{} results of a former run are still to be sent", counts.results);
  }
  std::unique_ptr<net::ControlServer> control =
      TRY(net::open_control(reactor, config.control.socket));
  auto aeads = std::make_unique<crypto::GcryptAeads>();
  std::unique_ptr<NtsProber> nts =
      TRY(NtsProber::create(reactor, nts_options(config), *aeads, random_key(), log));
  std::unique_ptr<Monitor> monitor(
      new Monitor(config, reactor, log, std::move(spool), std::move(aeads), std::move(nts)));
  if (control) {
    control->add(
        "status", "What this monitor does",
        [m = monitor.get()](const json::object&) -> Result<json::object> { return m->status(); });
    monitor->control_ = std::move(control);
  }
  return monitor;
}

Monitor::Monitor(const config::MonitordConfig& config, net::Reactor& reactor, sys::Logger& log,
                 Spool spool, std::unique_ptr<const AeadMaker> aeads,
                 std::unique_ptr<NtsProber> nts)
    : config_(config),
      reactor_(reactor),
      log_(log),
      prober_(reactor, prober_options(config.probe), random_key(), log),
      aeads_(std::move(aeads)),
      nts_(std::move(nts)),
      reporter_(config, std::move(spool), log),
      work_(config, reactor, log, [this](std::vector<Work> work) { take_work(std::move(work)); }) {
  if (effective_mode(config_.sanity) == Mode::kNone) {
    log_.warning("[sanity] mode is \"none\": this machine's clock judges others unchecked");
  }
  start_sanity_check();
}

Monitor::~Monitor() = default;

void Monitor::start_sanity_check() {
  sanity_timer_ =
      reactor_.at(sys::mono_now() + config_.sanity.interval, [this] { start_sanity_check(); });
  switch (effective_mode(config_.sanity)) {
    case Mode::kNone:
      return take_verdict({true, "not checked ([sanity] mode is \"none\")"});
    case Mode::kKernel:
      return take_verdict(ask_kernel(config_.sanity.max_offset));
    case Mode::kServers:
    case Mode::kAuto:
      break;
  }
  if (sanity_missing_ > 0) return;  // the last one is still under way
  const std::vector<Endpoint>& servers = config_.sanity.servers;
  sanity_agreeing_.assign(servers.size(), false);
  sanity_missing_ = servers.size();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    prober_.probe(servers[i], kSanitySamples,
                  [this, i](const std::vector<Sample>& samples) { sanity_answer(i, samples); });
  }
}

void Monitor::sanity_answer(std::size_t index, const std::vector<Sample>& samples) {
  sanity_agreeing_[index] = agrees(samples, config_.sanity.max_offset);
  if (--sanity_missing_ == 0) {
    take_verdict(judge_servers(sanity_agreeing_, config_.sanity.max_offset));
  }
}

void Monitor::take_verdict(SanityVerdict verdict) {
  if (!verdict.sane) {
    log_.warning("no probes, since this machine's clock is in doubt: {}", verdict.text);
  } else if (!sanity_.sane) {
    log_.info("this machine's clock is good: {}", verdict.text);
  }
  sanity_ = std::move(verdict);
  update_allowance();
}

void Monitor::take_work(std::vector<Work> work) {
  for (const Work& item : work) probe(item);
  update_allowance();
}

void Monitor::probe(const Work& work) {
  ++probes_;
  prober_.probe(work.endpoint, work.samples, [this, work](std::vector<Sample> samples) {
    take_samples(work, std::move(samples));
    update_allowance();
  });
}

void Monitor::take_samples(const Work& work, std::vector<Sample> samples) {
  // A clock that went bad meanwhile has nothing to say.
  if (samples.empty() || !sanity_.sane) {
    ++void_probes_;
    return;
  }
  ProbeResult result{work.server, work.ticket, sys::unix_now(), std::move(samples)};
  if (!work.nts) return reporter_.add(std::move(result));
  check_nts(*work.nts, work.endpoint.address, std::move(result));
}

// After the samples, so that the server gets all requests at one pace.
void Monitor::check_nts(const NtsWork& work, const IpAddress& server, ProbeResult result) {
  ++nts_checks_;
  nts_->check(server, work,
              [this, result = std::move(result)](std::optional<NtsResult> found) mutable {
                if (found && sanity_.sane) {
                  ++nts_outcomes_[static_cast<std::size_t>(found->outcome)];
                  result.nts = std::move(found);
                } else {
                  ++void_nts_checks_;
                }
                reporter_.add(std::move(result));
                update_allowance();
              });
}

void Monitor::update_allowance() {
  const auto room = [](std::size_t under_way, int most) {
    return under_way < static_cast<std::size_t>(most);
  };
  work_.allow(sanity_.sane && room(prober_.outstanding(), config_.probe.max_parallel) &&
              room(nts_->outstanding(), config_.nts.max_parallel));
}

json::object Monitor::nts_status() const {
  json::object outcomes;
  for (std::size_t i = 0; i < nts_outcomes_.size(); ++i) {
    if (nts_outcomes_[i] == 0) continue;
    outcomes[pool::name_of(static_cast<pool::NtsOutcome>(i))] = nts_outcomes_[i];
  }
  return {{"started", nts_checks_},
          {"under_way", nts_->outstanding()},
          {"void", void_nts_checks_},
          {"outcomes", std::move(outcomes)}};
}

json::object Monitor::status() const {
  const Reporter::Counts reported = reporter_.counts();
  const Spool::Counts spool = reporter_.spool_counts();
  const WorkSource::Counts work = work_.counts();
  return {{"sane", sanity_.sane},
          {"sanity", sanity_.text},
          {"probes",
           {{"started", probes_}, {"under_way", prober_.outstanding()}, {"void", void_probes_}}},
          {"nts", nts_status()},
          {"work",
           {{"requests", work.requests},
            {"items", work.items},
            {"failures", work.failures},
            {"last_failure", work.last_failure}}},
          {"results",
           {{"made", reported.results},
            {"accepted", reported.accepted},
            {"rejected", reported.rejected},
            {"failures", reported.failures},
            {"sent_batches", reported.sent_batches},
            {"refused_batches", reported.refused_batches},
            {"last_failure", reported.last_failure}}},
          {"spool",
           {{"batches", spool.batches},
            {"results", spool.results},
            {"bytes", spool.bytes},
            {"dropped_results", spool.dropped_results},
            {"unwritten_batches", spool.unwritten_batches},
            {"unreadable_batches", spool.unreadable_batches}}}};
}

namespace {

enum class End : unsigned char { kStop, kReload, kFailed };

// One monitor on a reactor of its own, so that nothing posted for it outlives it.
End run_until_signal(const config::MonitordConfig& config, sys::Logger& log) {
  net::Reactor reactor;
  End end = End::kStop;
  const auto stop_as = [&](End how) {
    return [&reactor, &end, how] {
      end = how;
      reactor.stop();
    };
  };
  const std::pair<int, End> signals[] = {
      {SIGTERM, End::kStop}, {SIGINT, End::kStop}, {SIGHUP, End::kReload}};
  for (const auto& [signal, how] : signals) {
    if (const auto caught = reactor.on_signal(signal, stop_as(how)); !caught.ok()) {
      log.error("{}", caught.error().text());
      return End::kFailed;
    }
  }
  auto monitor = Monitor::create(config, reactor, log);
  if (!monitor.ok()) {
    log.error("{}", monitor.error().text());
    return End::kFailed;
  }
  log.info("ready: works for {}", config.manager.url);
  sys::notify_ready("works for " + config.manager.url);
  net::Watchdog watchdog(reactor);
  watchdog.start();
  reactor.run();
  return end;
}

}  // namespace

int run_monitor(config::MonitordConfig config, const std::string& config_path) {
  sys::ignore_sigpipe();
  sys::Logger log("timepool-monitord", config.log_level);
  for (;;) {
    const End end = run_until_signal(config, log);
    if (end == End::kFailed) return 1;
    if (end == End::kStop) break;
    take_in(config_path, config, log);
  }
  sys::notify_stopping();
  log.info("stopping");
  return 0;
}

}  // namespace timepool::monitord

#include "ntpd/one_shot.h"

#include <csignal>
#include <cstdio>
#include <utility>

#include "net/reactor.h"
#include "ntpd/key_keeper.h"
#include "ntpd/source_settings.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"
#include "sys/signal_flag.h"

namespace timepool::ntpd {
namespace {

// For a name to be looked up and a burst with some losses, twice over.
constexpr Duration kPatience = Duration::seconds(60);
// Of each source that agrees: one sample alone may be the slow one.
constexpr std::uint64_t kSamples = 4;

void prepare(config::NtpdConfig& config, OneShot what) {
  config.clock =
      what == OneShot::kCorrect ? config::ClockControl::kSteer : config::ClockControl::kObserve;
  config.steering.step.limit = -1;
  for (auto* list : {&config.sources.servers, &config.sources.pools}) {
    for (config::NtpSourceConfig& source : *list) source.iburst = true;
  }
}

bool measured(const TimeClient& client, MonoTime now) {
  const ntp::Tracking tracking = client.keeper().tracking(now);
  return tracking.synchronised &&
         client.sources().count(ntp::ReplyReason::kAccepted) >= kSamples * tracking.survivors;
}

// Refused, or corrected and nothing left to slew.
bool settled(const TimeClient& client) {
  const ntp::Discipline& discipline = client.keeper().discipline();
  return !client.keeper().steers() || !is_correction(discipline.verdict()) ||
         discipline.next_deadline() == MonoTime::max();
}

int tell(const TimeClient& client, MonoTime now, sys::Logger& logger) {
  const ntp::Tracking tracking = client.keeper().tracking(now);
  if (!client.keeper().steers()) {
    // What chronyd -Q says: by how much the clock is wrong; positive when it is slow.
    std::printf("offset %+.9f s, error bound %.9f s, %zu sources\n", tracking.offset.to_seconds(),
                tracking.uncertainty.to_seconds(), tracking.survivors);
    return 0;
  }
  const ntp::CorrectionVerdict verdict = client.keeper().discipline().verdict();
  if (is_correction(verdict) && !client.keeper().failure()) {
    logger.info("the clock is corrected, to {} s, by {} sources", tracking.uncertainty.to_seconds(),
                tracking.survivors);
    return 0;
  }
  logger.error("the clock is off by {} and was not corrected: {}", format(tracking.offset),
               client.keeper().failure() ? client.keeper().failure()->text()
                                         : std::string(name_of(verdict)));
  return 1;
}

}  // namespace

int run_once(config::NtpdConfig config, OneShot what, sys::Logger& logger) {
  logger.set_level(config.log_level);
  prepare(config, what);
  net::Reactor reactor;
  bool interrupted = false;
  for (const int signal : {SIGTERM, SIGINT}) {
    const Result<void> caught = reactor.on_signal(signal, [&] { interrupted = true; });
    if (!caught.ok()) logger.warning("{}", caught.error().text());
  }
  KeyKeeper keys(logger);
  if (const Result<void> read = keys.read(config.keys); !read.ok()) {
    logger.error("{}", read.error().text());
    return 1;
  }
  auto client = TimeClient::start(reactor, logger, config, sys::measure_precision(),
                                  configured_sources(config.sources, {}), keys.ring());
  if (!client.ok()) {
    logger.error("{}", client.error().text());
    return 1;
  }
  const MonoTime begin = sys::mono_now();
  bool found = false;
  while (!interrupted) {
    const MonoTime now = sys::mono_now();
    found = found || measured(**client, now);
    if (found && settled(**client)) return tell(**client, now, logger);
    if (!found && now - begin > kPatience) break;
    reactor.run_once();
  }
  logger.error("{}", interrupted ? "interrupted" : "no majority of the sources agrees on a time");
  return 1;
}

}  // namespace timepool::ntpd

#include "ntpd/refclock_drivers.h"

#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "ntp/four_times.h"
#include "sys/clock.h"
#include "sys/user.h"

namespace timepool::ntpd {
namespace {

using config::NtpRefclockConfig;
using config::RefclockDriver;

// Between two tries to open a driver, doubling.
constexpr Duration kRetryMin = Duration::seconds(1);
constexpr Duration kRetryMax = Duration::seconds(64);

refclock::PulseEdge edge_of(const NtpRefclockConfig& config) {
  return config.edge == config::RefclockEdge::kAssert ? refclock::PulseEdge::kAssert
                                                      : refclock::PulseEdge::kClear;
}

Result<std::unique_ptr<refclock::Driver>> open_shm(const NtpRefclockConfig& config) {
  refclock::ShmOptions options;
  options.unit = config.unit;
  options.permissions = config.effective_permissions();
  if (!config.owner.empty()) options.owner = TRY(sys::user_id(config.owner));
  // The network simulator's segments are its own.
  options.simulated = ::getenv("CLKNETSIM_NODE") != nullptr;
  return refclock::open_shm(options);
}

Result<std::unique_ptr<refclock::Driver>> open_driver(const NtpRefclockConfig& config) {
  switch (config.driver) {
    case RefclockDriver::kShm:
      return open_shm(config);
    case RefclockDriver::kSock:
      return refclock::open_sock({config.effective_path(), config.effective_permissions()});
    case RefclockDriver::kPps:
      return refclock::open_pps({config.effective_path(), edge_of(config), config.min_width});
    case RefclockDriver::kPhc:
      break;
  }
  refclock::PhcOptions options;
  options.device = config.effective_path();
  options.samples = config.samples;
  options.external = config.external;
  options.channel = config.channel;
  options.pin = config.pin;
  options.edge = edge_of(config);
  return refclock::open_phc(options);
}

}  // namespace

ntp::RefclockConfig refclock_config(const NtpRefclockConfig& config) {
  ntp::RefclockConfig out;
  out.name = config.effective_name();
  out.reference_id = wire::ntp::ReferenceId::from_text(config.effective_refid());
  out.stratum = static_cast<std::uint8_t>(config.stratum);
  out.poll = static_cast<std::int8_t>(config.poll);
  out.filter_length = static_cast<std::size_t>(config.filter);
  out.offset = config.offset;
  out.delay = config.delay;
  out.precision = config.effective_precision();
  out.max_dispersion = config.max_dispersion;
  out.pulses = config.pulses;
  out.rate = config.rate;
  out.lock = config.lock;
  out.tai = config.tai;
  out.min_samples = static_cast<std::size_t>(config.min_samples);
  out.max_samples = static_cast<std::size_t>(config.max_samples);
  out.select = {config.prefer, config.trust, config.require, config.noselect};
  return out;
}

RefclockDrivers::RefclockDrivers(net::Reactor& reactor, sys::Logger& logger, Sink sink)
    : reactor_(reactor), logger_(logger), sink_(std::move(sink)) {}

void RefclockDrivers::add(ntp::AssociationId id, const NtpRefclockConfig& config) {
  Entry& entry =
      entries_.emplace_back(Entry{id, config, config.effective_name(), {}, {}, {}, kRetryMin, {}});
  entry.timer = reactor_.at(sys::mono_now(), [this, &entry] { open(entry); });
}

std::string RefclockDrivers::failure(ntp::AssociationId id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? std::string() : found->failure;
}

void RefclockDrivers::open(Entry& entry) {
  Result<std::unique_ptr<refclock::Driver>> opened = open_driver(entry.config);
  if (!opened.ok()) {
    close(entry, opened.error().text());
    return;
  }
  entry.driver = std::move(opened).value();
  if (!entry.failure.empty()) logger_.info("reference clock {}: open now", entry.name);
  entry.failure.clear();
  if (const int fd = entry.driver->fd(); fd >= 0) {
    entry.watch = reactor_.watch(fd, POLLIN, [this, &entry](short) { read(entry); });
  } else {
    read_later(entry);
  }
}

void RefclockDrivers::close(Entry& entry, std::string why) {
  entry.watch.stop();
  entry.driver.reset();
  // Once for each kind of trouble, not with each try.
  if (why != entry.failure) {
    logger_.error("reference clock {}: {}", entry.name, why);
    entry.retry = kRetryMin;
  }
  entry.failure = std::move(why);
  entry.timer = reactor_.at(sys::mono_now() + entry.retry, [this, &entry] { open(entry); });
  entry.retry = std::min(entry.retry * 2, kRetryMax);
}

void RefclockDrivers::read_later(Entry& entry) {
  const Duration interval = ntp::exp2_seconds(entry.config.dpoll);
  entry.timer = reactor_.at(sys::mono_now() + interval, [this, &entry] {
    read_later(entry);
    read(entry);
  });
}

void RefclockDrivers::read(Entry& entry) {
  refclock::Looks looks;
  entry.driver->poll(looks);
  bool failed = false;
  for (const refclock::Look& look : looks) {
    failed = failed || look.reason == ntp::RefclockReason::kDeviceFailed;
    sink_(entry.id, look);
  }
  if (failed) close(entry, "the device can't be read any more");
}

}  // namespace timepool::ntpd

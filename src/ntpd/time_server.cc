#include "ntpd/time_server.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "crypto/aead.h"
#include "ntp/leap.h"
#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::ntpd {
namespace {

bool has_ipv6() {
  return sys::make_socket(AF_INET6, SOCK_DGRAM).ok();
}

net::UdpServerOptions options_of(const config::NtpServerConfig& config) {
  net::UdpServerOptions out;
  out.listen = config.listen;
  if (out.listen.empty()) {
    out.listen.push_back({IpAddress::any(IpFamily::kV4), wire::ntp::kNtpPort, 0});
    if (has_ipv6()) out.listen.push_back({IpAddress::any(IpFamily::kV6), wire::ntp::kNtpPort, 0});
  }
  out.threads = config.threads;
  out.pin_threads = config.pin_threads;
  out.receive_buffer = static_cast<int>(config.receive_buffer);
  out.steer_by_prefix = true;
  out.exact_departures = config.interleaved_replies > 0;
  out.interface = config.interface;
  out.interface_info = !config.access.interfaces.empty();
  out.share_port = true;  // for peers
  out.max_request = ServerHandler::kMaxRequest;
  out.max_reply = ServerHandler::kMaxRequest;
  return out;
}

// What can't change while the sockets are open.
bool same_sockets(const config::NtpServerConfig& a, const config::NtpServerConfig& b) {
  return a.listen == b.listen && a.threads == b.threads && a.pin_threads == b.pin_threads &&
         a.receive_buffer == b.receive_buffer && a.interface == b.interface &&
         a.interleaved_replies == b.interleaved_replies;
}

// One client as two workers saw it.
ntp::ClientReport joined(const ntp::ClientReport& a, const ntp::ClientReport& b) {
  ntp::ClientReport out = a.age <= b.age ? a : b;
  out.requests = a.requests + b.requests;
  out.dropped = a.dropped + b.dropped;
  // Each saw a part of the requests, so that the time between them is less than either says.
  if (a.interval && b.interval) {
    const double rate = 1 / a.interval->to_seconds() + 1 / b.interval->to_seconds();
    out.interval = Duration::from_seconds(1 / rate);
  }
  return out;
}

unsigned workers_of(const config::NtpServerConfig& config) {
  return std::max(config.threads, 1U);
}

// B15: also whom the files of prefixes name.
Result<void> check_audience(const config::NtpServerConfig& config) {
  if (!config.smear || config::serves_loopback_only(config)) return {};
  const std::vector<Prefix> audience = TRY(audience_of(config.access));
  const std::string problem = config::smear_audience_problem(audience);
  if (problem.empty()) return {};
  return fail(Error{ErrorCode::kInvalid, "serve", problem});
}

ntp::Responder::Options responder_options(const config::NtpServerConfig& config) {
  ntp::Responder::Options out;
  out.interleaved_replies = config.interleaved_replies;
  out.clients = clients_of_worker(config.limits, workers_of(config));
  out.seed = {{sys::random_u64(), sys::random_u64()}, sys::random_u64()};
  out.aeads = std::make_shared<crypto::GcryptAeads>();
  out.random = std::make_shared<sys::KernelRandom>();
  return out;
}

}  // namespace

TimeServer::TimeServer(net::Reactor& reactor, sys::Logger& logger,
                       const config::NtpServerConfig& config, int precision, ViewClock view)
    : config_(config),
      view_(std::move(view)),
      served_(config, precision),
      service_(std::make_unique<ntp::Service>(ntp::Service{make_state()})),
      reactor_(reactor),
      logger_(logger),
      watch_(logger),
      limits_(limit_settings(config.limits, workers_of(config))) {}

Result<std::unique_ptr<TimeServer>> TimeServer::start(net::Reactor& reactor, sys::Logger& logger,
                                                      const config::NtpServerConfig& config,
                                                      int precision, ViewClock view) {
  std::unique_ptr<TimeServer> out =
      TRY(create(reactor, logger, config, precision, std::move(view), nullptr));
  TRY(out->begin());
  return out;
}

Result<std::unique_ptr<TimeServer>> TimeServer::create(net::Reactor& reactor, sys::Logger& logger,
                                                       const config::NtpServerConfig& config,
                                                       int precision, ViewClock view,
                                                       net::InheritedSockets* inherited) {
  std::unique_ptr<TimeServer> out(
      new TimeServer(reactor, logger, config, precision, std::move(view)));
  TRY(check_audience(config));
  TRY(out->access_.load(config.access));
  // Before the first datagram can come.
  out->refresh();
  TimeServer* self = out.get();
  net::UdpServerOptions options = options_of(config);
  options.inherited = inherited;
  out->server_ = TRY(net::UdpServer<ServerHandler>::create(reactor, options, [self](unsigned) {
    return std::make_unique<ServerHandler>(self->service_, responder_options(self->config_));
  }));
  return out;
}

Result<void> TimeServer::begin() {
  refresh();
  TRY(server_->begin());
  serving_ = true;
  keep_watch();
  return {};
}

void TimeServer::stop() {
  server_->stop();
  serving_ = false;
}

void TimeServer::hold(const ntp::ServerState& state) {
  held_ = state;
  if (!held_->made) held_->made = state.reference_time;
  refresh();
}

ntp::ServerState TimeServer::make_state() {
  const sys::ClockSample clocks = sys::sample_clocks();
  const UnixTime now = clocks.unix_time;
  ClockView view = view_ ? view_() : ClockView();
  if (view.kept || (held_ && now - *held_->made > kHoldover)) held_.reset();
  if (held_) {
    view.kept = held_;
    view.kept->root_dispersion = ntp::root_dispersion_at(*held_, now);
    view.kept->made = now;
  }
  ntp::ServerState out = served_.make({clocks.mono, now, clocks.suspended}, view);
  // What was announced then holds for that day; the successor may not know of it yet.
  const bool untold = held_ && out.synchronised() && out.leap == wire::ntp::Leap::kNone;
  if (untold && !config_.smear && now < ntp::next_midnight(*held_->made)) out.leap = held_->leap;
  return out;
}

void TimeServer::tell_change(const ntp::ServerState& before, const ntp::ServerState& now) {
  if (before.synchronised() == now.synchronised() && before.stratum == now.stratum) return;
  if (now.synchronised()) {
    logger_.info("what is served is of stratum {}, {}", now.stratum,
                 format(now.reference_id, now.stratum));
  } else {
    logger_.info("what is served is not synchronised");
  }
}

void TimeServer::refresh() {
  const ntp::ServerState state = make_state();
  tell_change(service_.current().state, state);
  auto service = std::make_unique<ntp::Service>(ntp::Service{state});
  take_access();
  service->access = access_.list();
  service->limits = limits_;
  service->keys = keys_;
  service->cookies = cookies_;
  service_.publish(std::move(service));
  const Duration next = served_.good_for(sys::unix_now());
  refresh_timer_ = reactor_.at(sys::mono_now() + next, [this] { refresh(); });
}

// Finds the interfaces of [server.access] as they are numbered now.
void TimeServer::take_access() {
  static_cast<void>(access_.list());
  std::vector<std::string> missing = access_.missing();
  if (missing == missing_) return;
  missing_ = std::move(missing);
  for (const std::string& name : missing_) {
    logger_.warning("[server.access] there is no interface {}: its rules wait for it", name);
  }
}

void TimeServer::set_keys(std::shared_ptr<const ntp::KeyRing> keys) {
  keys_ = std::move(keys);
  refresh();
}

void TimeServer::set_cookies(std::shared_ptr<const nts::CookieKeys> cookies) {
  cookies_ = std::move(cookies);
  refresh();
}

nts::CookieCounts TimeServer::cookie_counts() const {
  nts::CookieCounts out;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) {
    server_->handler(i).add_counts(out);
  }
  return out;
}

Result<bool> TimeServer::reload(const config::NtpServerConfig& config) {
  TRY(check_audience(config));
  if (!config.access.interfaces.empty()) TRY(server_->learn_interfaces());
  TRY(access_.load(config.access));
  const bool same = same_sockets(config_, config);
  config_.access = config.access;
  config_.limits = config.limits;
  limits_ = limit_settings(config.limits, workers_of(config_));
  config_.local = config.local;
  config_.test = config.test;
  config_.smear = config.smear;
  config_.max_root_distance = config.max_root_distance;
  config_.hide_refid = config.hide_refid;
  served_.set_config(config_);
  refresh();
  return same;
}

void TimeServer::keep_watch() {
  const MonoTime now = sys::mono_now();
  watch_.look(counts(), [this](ntp::Reason reason) { return last_dropped(reason); }, now);
  watch_timer_ = reactor_.at(now + ServerWatch::kInterval, [this] { keep_watch(); });
}

ServerCounts TimeServer::counts() const {
  server_->wait_settled();
  ServerCounts out;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) server_->handler(i).add_counts(out);
  return out;
}

std::optional<LastSeen::Value> TimeServer::last_dropped(ntp::Reason reason) const {
  std::optional<LastSeen::Value> out;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) {
    const auto last = server_->handler(i).last_dropped(reason);
    if (last && (!out || last->at > out->at)) out = last;
  }
  return out;
}

std::vector<ntp::ClientReport> TimeServer::clients(std::size_t count, MonoTime now) const {
  // Where the kernel spreads requests by their ports, one client may be known to several workers.
  std::map<IpAddress, ntp::ClientReport> merged;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) {
    const ntp::RateLimiter* limiter = server_->handler(i).limiter();
    if (limiter == nullptr) continue;
    for (const ntp::ClientReport& it : limiter->table().top(kMaxClientsListed, now)) {
      const auto [at, added] = merged.try_emplace(it.address, it);
      if (!added) at->second = joined(at->second, it);
    }
  }
  std::vector<ntp::ClientReport> out;
  for (const auto& [address, report] : merged) out.push_back(report);
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.requests > b.requests; });
  out.resize(std::min({out.size(), count, kMaxClientsListed}));
  return out;
}

std::size_t TimeServer::clients_remembered() const {
  std::size_t out = 0;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) {
    const ntp::RateLimiter* limiter = server_->handler(i).limiter();
    out += limiter == nullptr ? 0 : limiter->table().used();
  }
  return out;
}

std::size_t TimeServer::clients_at_most() const {
  std::size_t out = 0;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) {
    const ntp::RateLimiter* limiter = server_->handler(i).limiter();
    out += limiter == nullptr ? 0 : limiter->table().clients();
  }
  return out;
}

std::uint64_t TimeServer::count(ntp::RateLimiter::Event event) const {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < server_->worker_count(); ++i) {
    const ntp::RateLimiter* limiter = server_->handler(i).limiter();
    out += limiter == nullptr ? 0 : limiter->count(event);
  }
  return out;
}

}  // namespace timepool::ntpd

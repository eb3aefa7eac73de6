#include "ntpd/acme_service.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "certificates/webroot.h"
#include "net/http_client.h"
#include "ntpd/acme_settings.h"
#include "sys/clock.h"
#include "sys/stream_socket.h"
#include "sys/user.h"

namespace timepool::ntpd {
namespace {

using Listener = certificates::ChallengeListener;

Error with_setting(Error error, const char* setting) {
  error.operation = std::string("[nts.acme] ") + setting + ": " + error.operation;
  return error;
}

// What was made belongs to whom this process becomes.
Result<void> give(const std::string& path, const std::string& user) {
  if (user.empty()) return {};
  const sys::Account account = TRY(sys::account_of(user));
  if (account.user == ::geteuid() || ::chown(path.c_str(), account.user, account.group) == 0) {
    return {};
  }
  return fail(system_error(errno, "give " + path + " to [sandbox] user"));
}

// What can't change while the process runs.
bool same_means(const config::NtsAcmeConfig& a, const config::NtsAcmeConfig& b) {
  using config::AcmeChallenge;
  const bool same_listeners =
      !a.listens() || (a.http_listen == b.http_listen && a.tls_listen == b.tls_listen &&
                       a.has(AcmeChallenge::kHttp01) == b.has(AcmeChallenge::kHttp01) &&
                       a.has(AcmeChallenge::kTlsAlpn01) == b.has(AcmeChallenge::kTlsAlpn01));
  return same_listeners && a.webroot == b.webroot && a.hook == b.hook &&
         a.hook_timeout == b.hook_timeout && a.store == b.store;
}

void add(Listener::Counters& out, const Listener::Counters& more) {
  out.connections += more.connections;
  out.handshakes += more.handshakes;
  out.refused += more.refused;
  for (std::size_t i = 0; i < out.answers.size(); ++i) out.answers[i] += more.answers[i];
}

}  // namespace

sys::CertificateFiles acme_files(const std::string& store) {
  return certificates::CertificateDirectory(store).files();
}

AcmeService::AcmeService(net::Reactor& reactor, sys::Logger& logger,
                         const config::NtsAcmeConfig& config, Options options)
    : reactor_(reactor),
      logger_(logger),
      config_(config),
      options_(std::move(options)),
      board_(config.names) {}

AcmeService::~AcmeService() {
  // What runs is cut off first: that a program could not be told then is no failure of an order.
  if (worker_) worker_->pause();
  if (hook_ != nullptr) hook_->end();
}

Result<std::unique_ptr<AcmeService>> AcmeService::create(net::Reactor& reactor, sys::Logger& logger,
                                                         const config::NtsAcmeConfig& config,
                                                         Options options) {
  std::unique_ptr<AcmeService> out(new AcmeService(reactor, logger, config, std::move(options)));
  TRY(out->prepare());
  return out;
}

Result<void> AcmeService::prepare() {
  // What is wrong with the settings is found at the start.
  TRY(acme_settings(config_, options_.store));
  TRY(net::prepare_http_client());
  TRY(make_store());
  TRY(make_presenter());
  options_.inherited = nullptr;
  TRY(reactor_.enable_post());
  certificates::Presenter& presenter = other_presenter_ ? *other_presenter_ : board_;
  worker_ = std::make_unique<AcmeWorker>(logger_, presenter,
                                         [this] { reactor_.post([this] { options_.changed(); }); });
  return {};
}

Result<void> AcmeService::make_store() const {
  const std::string& path = options_.store;
  if (path.empty()) {
    return fail(Error{ErrorCode::kInvalid, "[nts.acme] store",
                      "it is not set, and there is no state_directory"});
  }
  const bool there = ::access(path.c_str(), F_OK) == 0;
  Result<void> made = certificates::CertificateDirectory(path).open();
  if (made.ok() && !there) made = give(path, options_.user);
  if (!made.ok()) return fail(with_setting(made.error(), "store"));
  return {};
}

Result<void> AcmeService::make_presenter() {
  using config::AcmeChallenge;
  if (!config_.webroot.empty()) {
    auto webroot = std::make_unique<certificates::Webroot>(config_.webroot);
    const bool there = ::access(webroot->place().c_str(), F_OK) == 0;
    Result<void> made = webroot->prepare();
    if (made.ok() && !there) made = give(webroot->place(), options_.user);
    if (!made.ok()) return fail(with_setting(made.error(), "webroot"));
    other_presenter_ = std::move(webroot);
    return {};
  }
  if (!config_.hook.empty()) {
    auto started = certificates::Hook::start(config_.hook, config_.hook_timeout);
    if (!started.ok()) return fail(with_setting(started.error(), "hook"));
    hook_ = started->get();
    other_presenter_ = std::move(started).value();
    return {};
  }
  if (config_.has(AcmeChallenge::kHttp01)) {
    TRY(bind_all(Listener::Kind::kHttp, config_.http_listen, config::kHttpPort));
  }
  if (config_.has(AcmeChallenge::kTlsAlpn01)) {
    TRY(bind_all(Listener::Kind::kTls, config_.tls_listen, config::kHttpsPort));
  }
  return {};
}

Result<void> AcmeService::bind_all(Listener::Kind kind, const std::vector<Endpoint>& wanted,
                                   std::uint16_t port) {
  const char* setting = kind == Listener::Kind::kHttp ? "http_listen" : "tls_listen";
  for (const Endpoint& at : wanted.empty() ? sys::every_address(port) : wanted) {
    sys::Fd fd = options_.inherited == nullptr ? sys::Fd() : options_.inherited->take_listener(at);
    if (!fd) {
      auto bound = Listener::bind(at);
      if (!bound.ok()) return fail(with_setting(bound.error(), setting));
      fd = std::move(bound).value();
    }
    const auto bound_to = sys::local_endpoint(fd.number());
    if (!bound_to.ok()) return fail(with_setting(bound_to.error(), setting));
    sockets_.push_back({kind, std::move(fd), *bound_to, nullptr});
  }
  return {};
}

Result<void> AcmeService::begin() {
  auto settings = TRY(acme_settings(config_, options_.store));
  for (Socket& it : sockets_) {
    sys::Fd copy(::fcntl(it.fd.number(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return fail(system_error(errno, "[nts.acme]: duplicate a socket"));
    it.listener = std::make_unique<Listener>(reactor_, board_, it.kind, std::move(copy));
    logger_.info("serving challenges of {} on {}",
                 it.kind == Listener::Kind::kHttp ? "http-01" : "tls-alpn-01", format(it.address));
  }
  worker_->configure(std::move(settings));
  watch_clock();
  return {};
}

void AcmeService::stop() {
  clock_timer_.cancel();
  worker_->pause();
  for (Socket& it : sockets_) {
    if (it.listener) add(ended_, it.listener->counters());
    it.listener.reset();
  }
}

Result<bool> AcmeService::reload(const config::NtsAcmeConfig& config) {
  config::NtsAcmeConfig next = config;
  const bool same = same_means(config_, config);
  next.challenges = same ? config.challenges : config_.challenges;
  next.http_listen = config_.http_listen;
  next.tls_listen = config_.tls_listen;
  next.webroot = config_.webroot;
  next.hook = config_.hook;
  next.hook_timeout = config_.hook_timeout;
  next.store = config_.store;
  auto settings = TRY(acme_settings(next, options_.store));
  const bool changed = next != config_;
  config_ = std::move(next);
  if (!changed) return same;
  board_.set_names(config_.names);
  worker_->configure(std::move(settings));
  watch_clock();
  return same;
}

// A clock that was right is believed on: without sources it drifts by seconds in a day, and a
// certificate that nobody renews ends.
void AcmeService::watch_clock() {
  clock_was_right_ = clock_was_right_ || options_.clock_is_plausible();
  worker_->set_clock_plausible(!config_.wait_for_clock || clock_was_right_);
  if (clock_was_right_) return clock_timer_.cancel();
  clock_timer_ = reactor_.at(sys::mono_now() + kClockInterval, [this] { watch_clock(); });
}

std::vector<int> AcmeService::descriptors() const {
  std::vector<int> out;
  for (const Socket& it : sockets_) out.push_back(it.fd.number());
  return out;
}

std::vector<Endpoint> AcmeService::addresses(Listener::Kind kind) const {
  std::vector<Endpoint> out;
  for (const Socket& it : sockets_) {
    if (it.kind == kind) out.push_back(it.address);
  }
  return out;
}

Listener::Counters AcmeService::counters() const {
  Listener::Counters out = ended_;
  for (const Socket& it : sockets_) {
    if (it.listener) add(out, it.listener->counters());
  }
  return out;
}

}  // namespace timepool::ntpd

#include "ntpd/key_server.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/descriptor_limit.h"
#include "sys/signal_flag.h"
#include "sys/stream_socket.h"

namespace timepool::ntpd {
namespace {

Result<sys::Fd> listen_at(const Endpoint& at) {
  sys::ListenOptions options;
  options.backlog = KeyServer::kBacklog;
  options.stream.no_delay = true;
  return sys::listen_stream(at, "[nts.server] listen: listen on " + format(at), options);
}

Result<std::vector<nts::NtpServer>> servers_of(const config::NtsServerConfig& config,
                                               std::uint16_t ntp_port) {
  std::vector<nts::NtpServer> out;
  for (const config::NtsNtpServerConfig& it : config.ntp_servers) {
    if (!it.name.empty() && !nts::is_server_name(it.name)) {
      return fail(Error{ErrorCode::kInvalid, "[[nts.server.ntp_server]] name",
                        "\"" + it.name + "\" is neither an address nor a domain name"});
    }
    out.push_back({it.name, it.port});
  }
  // RFC 8915 4.1.8: port 123 needs no words.
  if (out.empty() && ntp_port != nts::kNtpPort) out.push_back({"", ntp_port});
  return out;
}

std::vector<sys::CertificateFiles> files_of(
    const std::vector<config::NtsCertificateConfig>& certificates) {
  std::vector<sys::CertificateFiles> out;
  for (const config::NtsCertificateConfig& it : certificates) out.push_back({it.chain, it.key});
  return out;
}

// What can't change while the sockets are open.
bool same_sockets(const config::NtsServerConfig& a, const config::NtsServerConfig& b) {
  return a.listen == b.listen && a.threads == b.threads && a.limits.clients == b.limits.clients;
}

void prepare_thread(std::size_t index) {
  sys::block_all_signals();
  ::pthread_setname_np(::pthread_self(), ("nts-ke " + std::to_string(index)).c_str());
}

}  // namespace

struct KeyServer::Place {
  // Of its own thread; null on the main one.
  std::unique_ptr<net::Reactor> reactor;
  std::unique_ptr<KeyWorker> worker;
  std::thread thread;
};

KeyServer::KeyServer(net::Reactor& reactor, sys::Logger& logger,
                     const config::NtsServerConfig& config, Options options)
    : reactor_(reactor),
      logger_(logger),
      config_(config),
      options_(std::move(options)),
      certificates_(logger, "[nts.server] certificate") {}

Result<std::unique_ptr<KeyServer>> KeyServer::create(net::Reactor& reactor, sys::Logger& logger,
                                                     const config::NtsServerConfig& config,
                                                     Options options) {
  std::unique_ptr<KeyServer> out(new KeyServer(reactor, logger, config, std::move(options)));
  out->ntp_servers_ = TRY(servers_of(config, out->options_.ntp_port));
  TRY(out->load_certificates(config.certificates));
  out->publish();
  TRY(out->bind_all());
  TRY(out->make_places());
  return out;
}

KeyServer::~KeyServer() {
  for (const auto& place : places_) {
    if (!place->thread.joinable()) continue;
    place->reactor->post([&reactor = *place->reactor] { reactor.stop(); });
    place->thread.join();
  }
}

Result<void> KeyServer::bind_all() {
  for (const Endpoint& at :
       config_.listen.empty() ? sys::every_address(config::kNtsKePort) : config_.listen) {
    sys::Fd listener =
        options_.inherited == nullptr ? sys::Fd() : options_.inherited->take_listener(at);
    if (!listener) listener = TRY(listen_at(at));
    addresses_.push_back(TRY(sys::local_endpoint(listener.number())));
    descriptors_.push_back(listener.number());
    listeners_.push_back(std::move(listener));
  }
  options_.inherited = nullptr;
  const std::size_t most =
      sys::descriptors_for(config_.limits.connections, descriptors_.back(), kReservedDescriptors);
  if (most < config_.limits.connections) {
    logger_.warning("[nts.server.limits] connections: {} at the most, for want of descriptors",
                    most);
  }
  gate_ = std::make_unique<KeyGate>(config_.limits, most);
  return {};
}

Result<void> KeyServer::make_places() {
  for (unsigned i = 0; i < std::max(config_.threads, 1U); ++i) {
    auto place = std::make_unique<Place>();
    if (config_.threads > 0) {
      place->reactor = std::make_unique<net::Reactor>();
      TRY(place->reactor->enable_post());
    }
    net::Reactor& reactor = place->reactor ? *place->reactor : reactor_;
    place->worker = std::make_unique<KeyWorker>(reactor, service_, *gate_, aeads_);
    places_.push_back(std::move(place));
  }
  return {};
}

Result<void> KeyServer::begin() {
  CHECK(!serving_);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = *places_[i];
    if (place.reactor == nullptr) {
      place.worker->start(descriptors_);
      continue;
    }
    place.reactor->post([this, &place] { place.worker->start(descriptors_); });
    if (place.thread.joinable()) continue;
    place.thread = std::thread([&place, i] {
      prepare_thread(i);
      place.reactor->run();
    });
  }
  serving_ = true;
  watch_certificates();
  return {};
}

void KeyServer::stop() {
  if (!serving_) return;
  for (const auto& place : places_) {
    if (place->reactor == nullptr) {
      place->worker->stop();
      continue;
    }
    std::atomic<bool> done{false};
    place->reactor->post([&place, &done] {
      place->worker->stop();
      done.store(true);
      done.notify_one();
    });
    done.wait(false);
  }
  look_timer_.cancel();
  serving_ = false;
}

void KeyServer::drain() {
  const MonoTime until = sys::mono_now() + config_.deadline + KeyWorker::kLinger;
  while (open() > 0 && sys::mono_now() < until) {
    if (config_.threads == 0) {
      reactor_.run_once(Duration::milliseconds(10));
    } else {
      ::usleep(10'000);
    }
  }
}

void KeyServer::publish() {
  auto next = std::make_shared<KeyService>();
  next->tls = certificates_.context();
  for (const AeadId it : config_.aeads) CHECK(next->messages.aeads.push_back(it));
  next->messages.servers = ntp_servers_;
  next->cookies = cookies_;
  next->deadline = config_.deadline;
  service_.set(std::move(next));
}

// The one of [nts.acme] may be bad at the start: another is obtained then.
Result<void> KeyServer::load_certificates(
    const std::vector<config::NtsCertificateConfig>& configured) {
  std::vector<sys::CertificateFiles> files = files_of(configured);
  if (options_.acme && ::access(options_.acme->chain.c_str(), F_OK) == 0) {
    files.push_back(*options_.acme);
    const Result<void> loaded = certificates_.load(files, sys::unix_now());
    has_acme_ = loaded.ok();
    if (has_acme_) return {};
    files.pop_back();
    if (files.empty()) {
      logger_.error("{}; no certificate is shown", loaded.error().text());
      return {};
    }
    TRY(certificates_.load(files, sys::unix_now()));
    logger_.error("{}; it is not shown", loaded.error().text());
    return {};
  }
  if (files.empty()) return {};
  return certificates_.load(files, sys::unix_now());
}

void KeyServer::look_at_certificates() {
  const auto before = certificates_.context();
  if (options_.acme && !has_acme_) {
    const Result<void> loaded = load_certificates(config_.certificates);
    if (!loaded.ok()) logger_.error("{}", loaded.error().text());
  } else {
    certificates_.look(sys::unix_now());
  }
  if (certificates_.context() != before) publish();
}

void KeyServer::watch_certificates() {
  look_timer_ = reactor_.at(sys::mono_now() + kLookInterval, [this] {
    look_at_certificates();
    watch_certificates();
  });
}

Result<bool> KeyServer::reload(const config::NtsServerConfig& config, std::uint16_t ntp_port) {
  std::vector<nts::NtpServer> servers = TRY(servers_of(config, ntp_port));
  TRY(load_certificates(config.certificates));
  const bool same = same_sockets(config_, config);
  ntp_servers_ = std::move(servers);
  config_.certificates = config.certificates;
  config_.deadline = config.deadline;
  config_.aeads = config.aeads;
  config_.ntp_servers = config.ntp_servers;
  const std::int64_t clients = config_.limits.clients;
  config_.limits = config.limits;
  config_.limits.clients = clients;
  gate_->set(config_.limits);
  publish();
  return same;
}

void KeyServer::set_cookies(std::shared_ptr<const nts::CookieKeys> keys) {
  cookies_ = std::move(keys);
  publish();
}

std::uint64_t KeyServer::cookies_made() const {
  nts::CookieCounts out;
  for (const auto& place : places_) place->worker->cookies().add_counts(out);
  return out.made;
}

KeyCounts KeyServer::counts() const {
  KeyCounts out;
  for (const auto& place : places_) place->worker->counters().add_to(out);
  return out;
}

}  // namespace timepool::ntpd

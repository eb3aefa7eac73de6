#include "load/key_load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "load/generator.h"
#include "load/key_asking.h"
#include "load/load_socket.h"
#include "net/reactor.h"
#include "net/tls_session.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::load {
namespace {

using State = net::TlsSession::State;

Result<void> check_options(const KeyLoadOptions& options) {
  const bool good = options.count >= 1 && options.count <= KeyLoadOptions::kMaxCount &&
                    options.inflight >= 1 && options.inflight <= KeyLoadOptions::kMaxInflight &&
                    options.duration > Duration() && options.duration <= Duration::seconds(3600) &&
                    options.timeout > Duration() && options.timeout <= Duration::seconds(60);
  if (!good) return fail(Error{ErrorCode::kInvalid, "bench", "an option is out of bounds"});
  return check_target(options.peer.server.address, options.allow_private);
}

class Run {
 public:
  Run(const KeyLoadOptions& options, std::shared_ptr<const net::TlsClientContext> context)
      : options_(options),
        context_(std::move(context)),
        messages_(messages_for(options.peer)),
        places_(static_cast<std::size_t>(options.inflight)) {}

  KeyLoadReport report() {
    const MonoTime start = sys::mono_now();
    stop_at_ = start + options_.duration;
    for (;;) {
      for (Place& place : places_) {
        if (!place.open) begin(place);
      }
      if (open_ == 0) break;
      reactor_.run_once(Duration::milliseconds(100));
      end_late_ones();
    }
    report_.elapsed = sys::mono_now() - start;
    return std::move(report_);
  }

 private:
  struct Place {
    sys::Fd socket;
    std::unique_ptr<net::TlsSession> tls;
    std::unique_ptr<nts::KeClient> messages;
    net::Watch watch;
    MonoTime began;
    bool open = false;
    bool asked = false;
  };

  void begin(Place& place) {
    if (report_.begun >= options_.count || sys::mono_now() >= stop_at_) return;
    ++report_.begun;
    ++open_;
    place.open = true;
    place.began = sys::mono_now();
    place.asked = false;
    place.messages = std::make_unique<nts::KeClient>(messages_);
    auto tls = net::TlsSession::client(context_,
                                       {options_.peer.name, {}, !options_.peer.authority.empty()});
    auto socket =
        sys::make_socket(options_.peer.server.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM);
    if (!tls.ok() || !socket.ok()) {
      return finish(place, tls.ok() ? socket.error().text() : tls.error().text());
    }
    place.tls = std::move(tls).value();
    place.socket = std::move(socket).value();
    connect(place);
  }

  void connect(Place& place) {
    const int fd = place.socket.number();
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_storage address{};
    const socklen_t length = sys::to_sockaddr(options_.peer.server, address);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) < 0 &&
        errno != EINPROGRESS) {
      return finish(place, system_error(errno, "connect").text());
    }
    place.watch = reactor_.watch(fd, POLLOUT, [this, &place](short) { handle_ready(place); });
  }

  void handle_ready(Place& place) {
    std::array<std::byte, 16 << 10> buffer;
    const ssize_t count = ::recv(place.socket.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      return finish(place, system_error(errno, "receive").text());
    }
    if (count > 0) place.tls->feed(Bytes(buffer).first(static_cast<std::size_t>(count)));
    if (!place.asked && place.tls->state() == State::kOpen) {
      place.tls->write(place.messages->request());
      place.asked = true;
    }
    if (count == 0) place.tls->end();
    flush(place);
    if (hear(place)) return;
    if (place.tls->state() == State::kFailed) {
      finish(place, place.tls->fault_text());
    } else if (place.tls->state() == State::kClosed) {
      finish(place, "ended without an answer");
    }
  }

  void flush(Place& place) {
    while (!place.tls->outgoing().empty()) {
      const Bytes out = place.tls->outgoing();
      const ssize_t count =
          ::send(place.socket.number(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0) break;
      place.tls->sent(static_cast<std::size_t>(count));
    }
    place.watch.set_events(place.tls->outgoing().empty() ? POLLIN : POLLIN | POLLOUT);
  }

  // True when the whole answer is there, or it was no good.
  bool hear(Place& place) {
    std::array<std::byte, 4096> plain;
    nts::SessionExporter keys(*place.tls);
    while (const std::size_t count = place.tls->read(plain)) {
      const auto answer = place.messages->feed(Bytes(plain).first(count), keys);
      if (!answer) continue;
      if (answer->ok()) {
        ++report_.established;
        report_.cookies += (*answer)->cookies.size();
        report_.latency.record(sys::mono_now() - place.began);
      } else {
        ++report_.refused;
        note(std::string(nts::describe(answer->error())));
      }
      place.tls->close();
      flush(place);
      next(place);
      return true;
    }
    return false;
  }

  void note(std::string why) {
    if (report_.first_failure.empty()) report_.first_failure = std::move(why);
  }

  void finish(Place& place, std::string why) {
    ++report_.failed;
    note(std::move(why));
    next(place);
  }

  void next(Place& place) {
    place.watch.stop();
    place.tls.reset();
    place.messages.reset();
    place.socket.reset();
    --open_;
    // The next begins in the loop: from here a server that refuses at once would nest them.
    place.open = false;
  }

  void end_late_ones() {
    const MonoTime now = sys::mono_now();
    for (Place& place : places_) {
      if (place.open && now - place.began > options_.timeout) finish(place, "no answer in time");
    }
  }

  const KeyLoadOptions& options_;
  std::shared_ptr<const net::TlsClientContext> context_;
  nts::KeClientConfig messages_;
  net::Reactor reactor_;
  std::vector<Place> places_;
  MonoTime stop_at_;
  std::size_t open_ = 0;
  KeyLoadReport report_;
};

}  // namespace

double KeyLoadReport::rate() const {
  return elapsed > Duration() ? static_cast<double>(established) / elapsed.to_seconds() : 0;
}

Result<KeyLoadReport> run(const KeyLoadOptions& options) {
  TRY(check_options(options));
  auto context = TRY(context_for(options.peer));
  TRY(pin_to_cpu(options.cpu));
  return Run(options, std::move(context)).report();
}

}  // namespace timepool::load

#include "load/key_load.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "load/generator.h"
#include "load/key_asking.h"
#include "load/load_socket.h"
#include "net/tls_session.h"
#include "sys/clock.h"

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

struct Place : LoadConnection {
  std::unique_ptr<nts::KeClient> messages;
  bool asked = false;
};

class Run : ConnectionLoad<Place> {
 public:
  Run(const KeyLoadOptions& options, std::shared_ptr<const net::TlsClientContext> context)
      : ConnectionLoad({options.peer.server, options.count, options.duration, options.inflight,
                        options.timeout},
                       report_),
        options_(options),
        context_(std::move(context)),
        messages_(messages_for(options.peer)) {}

  KeyLoadReport report() {
    run(*this);
    return std::move(report_);
  }

 private:
  friend ConnectionLoad<Place>;

  Result<void> begin(Place& place) {
    place.asked = false;
    place.messages = std::make_unique<nts::KeClient>(messages_);
    place.tls = TRY(net::TlsSession::client(
        context_, {options_.peer.name, {}, !options_.peer.authority.empty()}));
    return {};
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

  const KeyLoadOptions& options_;
  std::shared_ptr<const net::TlsClientContext> context_;
  nts::KeClientConfig messages_;
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

// For tests: a TLS server on loopback, run by the reactor of the test, one connection at a time.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/acceptor.h"
#include "net/reactor.h"
#include "net/tls_session.h"
#include "sys/stream_socket.h"

namespace timepool::net::testing {

class TestTlsServer {
 public:
  // Octets of the question so far in, octets to answer out; close() on the session ends it.
  using Answer = std::function<std::vector<std::byte>(Bytes so_far, TlsSession&)>;
  enum class Habit {
    kAnswers,
    kOctetByOctet,     // each in a TLS record of its own
    kSilent,           // not even TLS
    kHangsUp,          // ends the connection as soon as it is there
    kHangsUpAfterTls,  // without close_notify
    kStays,            // never ends a connection
  };

  TestTlsServer(Reactor& reactor, std::shared_ptr<const TlsServerContext> context, Answer answer)
      : reactor_(reactor), acceptor_(reactor), context_(std::move(context)) {
    answer_ = std::move(answer);
    const Endpoint any{parse_ip("127.0.0.1").value(), 0};
    sys::Fd listener = sys::listen_stream(any, "listen").value();
    endpoint_ = sys::local_endpoint(listener.number()).value();
    acceptor_.start(std::move(listener), [this](sys::Fd fd) { take(std::move(fd)); });
  }

  const Endpoint& endpoint() const { return endpoint_; }
  void set_habit(Habit habit) { habit_ = habit; }
  int connections() const { return connections_; }

 private:
  struct Connection {
    sys::Fd fd;
    Watch watch;
    std::unique_ptr<TlsSession> session;
    std::vector<std::byte> question;
    bool answered = false;
  };

  void take(sys::Fd fd) {
    ++connections_;
    if (habit_ == Habit::kHangsUp) return;
    auto connection = std::make_shared<Connection>();
    connection->fd = std::move(fd);
    connection->session = TlsSession::server(context_);
    connection->watch = reactor_.watch(connection->fd.number(), POLLIN,
                                       [this, raw = connection.get()](short) { receive(*raw); });
    held_.push_back(std::move(connection));
  }
  void receive(Connection& it) {
    std::array<std::byte, 16384> buffer;
    const ssize_t count = ::recv(it.fd.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) return;
    if (count == 0 || habit_ == Habit::kSilent) {
      if (count == 0) it.watch.set_events(0);
      return;
    }
    it.session->feed(Bytes(buffer).first(static_cast<std::size_t>(count)));
    while (const std::size_t plain = it.session->read(buffer)) {
      it.question.insert(it.question.end(), buffer.begin(),
                         buffer.begin() + static_cast<std::ptrdiff_t>(plain));
    }
    if (it.session->state() == TlsSession::State::kOpen) speak(it);
    flush(it);
    if (it.session->state() == TlsSession::State::kClosed && habit_ != Habit::kStays) {
      it.watch.stop();
      it.fd.reset();
    }
  }
  void speak(Connection& it) {
    if (habit_ == Habit::kHangsUpAfterTls) {
      ::shutdown(it.fd.number(), SHUT_WR);
      return;
    }
    if (it.answered) return;
    const std::vector<std::byte> out = answer_(it.question, *it.session);
    it.answered = !out.empty();
    const std::size_t step =
        habit_ == Habit::kOctetByOctet ? 1 : std::max<std::size_t>(out.size(), 1);
    for (std::size_t i = 0; i < out.size(); i += step) {
      it.session->write(Bytes(out).subspan(i, step));
    }
  }
  static void flush(Connection& it) {
    while (!it.session->outgoing().empty()) {
      const Bytes out = it.session->outgoing();
      const ssize_t count = ::send(it.fd.number(), out.data(), out.size(), MSG_NOSIGNAL);
      if (count < 0) return;
      it.session->sent(static_cast<std::size_t>(count));
    }
  }

  Reactor& reactor_;
  Acceptor acceptor_;
  std::shared_ptr<const TlsServerContext> context_;
  Answer answer_;
  Endpoint endpoint_;
  Habit habit_ = Habit::kAnswers;
  int connections_ = 0;
  std::vector<std::shared_ptr<Connection>> held_;
};

}  // namespace timepool::net::testing

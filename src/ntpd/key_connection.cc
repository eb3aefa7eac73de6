#include "ntpd/key_connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace timepool::ntpd {
namespace {

bool is_passing(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

KeyConnection::KeyConnection(sys::Fd socket, const IpAddress& from,
                             std::shared_ptr<const KeyService> service, MonoTime now)
    : socket_(std::move(socket)), from_(from), service_(std::move(service)), began_(now) {}

void KeyConnection::handle_ready(nts::CookieMaker& cookies, MutableBytes room, bool hung_up) {
  if (blocked_) flush();
  if (phase_ == Phase::kAsking) {
    receive(cookies, room);
  } else if (phase_ == Phase::kWaiting) {
    ignore(room, hung_up);
  }
}

void KeyConnection::receive(nts::CookieMaker& cookies, MutableBytes room) {
  const ssize_t count = ::recv(socket_.number(), room.data(), room.size(), MSG_DONTWAIT);
  if (count < 0) {
    if (!is_passing(errno)) end(KeyLoss::kLost);
    return;
  }
  if (count == 0) return handle_end_of_stream();
  take(Bytes(room).first(static_cast<std::size_t>(count)), cookies);
}

void KeyConnection::take(Bytes octets, nts::CookieMaker& cookies) {
  if (tls_ == nullptr) tls_ = net::TlsSession::server(service_->tls);
  tls_->feed(octets);
  if (tls_->state() == net::TlsSession::State::kOpen) take_request(cookies);
  if (tls_->state() == net::TlsSession::State::kFailed && !decided_) decided_ = tls_->fault();
  flush();
}

void KeyConnection::open_messages() {
  if (messages_ != nullptr) return;
  messages_ = std::make_unique<nts::KeServer>(service_->messages, from_.family());
}

void KeyConnection::take_request(nts::CookieMaker& cookies) {
  open_messages();
  std::array<std::byte, 2048> plain;
  nts::SessionExporter keys(*tls_);
  while (const std::size_t count = tls_->read(plain)) {
    // What comes behind the answered request is nobody's.
    if (messages_->done()) continue;
    const auto reason = messages_->feed(Bytes(plain).first(count), keys, cookies);
    if (reason) answer(*reason);
  }
  if (tls_->state() == net::TlsSession::State::kClosed && !messages_->done()) {
    answer(messages_->handle_end());
  }
}

void KeyConnection::handle_end_of_stream() {
  // RFC 8915 4.1.3: a request that ends too early is a bad one. The client may still read.
  if (messages_ != nullptr && tls_->state() == net::TlsSession::State::kOpen) {
    answer(messages_->handle_end());
    flush();
    return;
  }
  end(KeyLoss::kLost);
}

void KeyConnection::handle_deadline() {
  if (phase_ == Phase::kAsking && tls_ != nullptr &&
      tls_->state() == net::TlsSession::State::kOpen) {
    open_messages();
    answer(messages_->handle_deadline());
    flush();
    return;
  }
  end(phase_ == Phase::kAsking ? KeyLoss::kHandshakeLate : KeyLoss::kLost);
}

void KeyConnection::answer(nts::KeReason reason) {
  decided_ = reason;
  tls_->write(messages_->response());
  // RFC 8915 4: one request, one response, then the connection is closed.
  tls_->close();
}

void KeyConnection::flush() {
  blocked_ = false;
  // The last of it waits for the end that follows at once, and goes in one packet with it.
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (decided_ ? MSG_MORE : 0);
  while (!tls_->outgoing().empty()) {
    const Bytes out = tls_->outgoing();
    const ssize_t count = ::send(socket_.number(), out.data(), out.size(), flags);
    if (count < 0 && is_passing(errno)) {
      blocked_ = true;
      if (decided_) phase_ = Phase::kTelling;
      return;
    }
    if (count < 0) return end(KeyLoss::kLost);
    tls_->sent(static_cast<std::size_t>(count));
  }
  if (decided_) finish_telling();
}

void KeyConnection::finish_telling() {
  outcome_ = decided_;
  phase_ = Phase::kWaiting;
  tls_.reset();
  messages_.reset();
  // Closed with something unread, the system would take back what the client has not read yet.
  if (::shutdown(socket_.number(), SHUT_WR) < 0) phase_ = Phase::kOver;
}

void KeyConnection::ignore(MutableBytes room, bool hung_up) {
  const ssize_t count = ::recv(socket_.number(), room.data(), room.size(), MSG_DONTWAIT);
  if (count < 0 && is_passing(errno)) return;
  ignored_ += count > 0 ? static_cast<std::size_t>(count) : 0;
  // The client's end was there before we read: less than was asked for is all there was before it.
  const bool last = count <= 0 || (hung_up && static_cast<std::size_t>(count) < room.size());
  if (last || ignored_ > kMaxIgnored) phase_ = Phase::kOver;
}

void KeyConnection::end(ServedOutcome outcome) {
  if (!outcome_) outcome_ = outcome;
  phase_ = Phase::kOver;
}

}  // namespace timepool::ntpd

#include "net/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::net {
namespace {

// What the alert of the peer, or OpenSSL itself, calls it.
std::string library_text() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "" : reason;
}

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool is_host_name(std::string_view name) {
  constexpr std::size_t kLongest = 253;
  return !name.empty() && name.size() <= kLongest &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

TlsSession::TlsSession() : ssl_(nullptr, SSL_free) {}

TlsSession::~TlsSession() = default;

void TlsSession::take(SSL* ssl) {
  CHECK(ssl != nullptr);
  ssl_.reset(ssl);
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  CHECK(in_ != nullptr && out_ != nullptr);
  // Nothing there means: not yet.
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl, in_, out_);
}

std::unique_ptr<TlsSession> TlsSession::server(std::shared_ptr<const TlsServerContext> context) {
  std::unique_ptr<TlsSession> out(new TlsSession);
  out->server_ = std::move(context);
  out->take(SSL_new(out->server_->first()));
  SSL_set_accept_state(out->ssl_.get());
  return out;
}

Result<std::unique_ptr<TlsSession>> TlsSession::client(
    std::shared_ptr<const TlsClientContext> context, const TlsPeer& peer) {
  std::unique_ptr<TlsSession> out(new TlsSession);
  out->client_ = std::move(context);
  TlsVerification& wanted = out->verification_;
  wanted.options = &out->client_->options();
  wanted.dates = peer.dates;
  wanted.enforced = peer.enforced;
  wanted.name = peer.name.ends_with('.') ? peer.name.substr(0, peer.name.size() - 1) : peer.name;
  if (const auto address = parse_ip(wanted.name); address.ok()) {
    wanted.address = *address;
  } else if (!is_host_name(wanted.name)) {
    return fail(Error{ErrorCode::kInvalid, "server name \"" + peer.name + "\"",
                      "neither a host name nor an address"});
  }
  out->take(SSL_new(out->client_->context_.get()));
  SSL* ssl = out->ssl_.get();
  SSL_set_app_data(ssl, &wanted);
  // RFC 6066 3: names only.
  if (!wanted.address) CHECK(SSL_set_tlsext_host_name(ssl, wanted.name.c_str()) == 1);
  SSL_set_connect_state(ssl);
  out->advance();
  return out;
}

void TlsSession::fail_with(TlsFault fault, std::string detail) {
  ERR_clear_error();
  if (state_ == State::kFailed) return;
  state_ = State::kFailed;
  fault_ = fault;
  detail_ = std::move(detail);
}

// After a call that gave `result`: nothing when it only waits for more.
void TlsSession::fail_by_library(int result) {
  const int kind = SSL_get_error(ssl_.get(), result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return;
  if (verification_.enforced && verification_.fault != TlsFault::kNone) {
    fail_with(verification_.fault, verification_.detail);
    return;
  }
  const unsigned long code = ERR_peek_error();
  fail_with(code == 0 ? TlsFault::kProtocol : fault_of_library_error(code), library_text());
}

void TlsSession::advance() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return finish_handshake();
  fail_by_library(result);
}

void TlsSession::finish_handshake() {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  const std::string& wanted = client_ ? client_->options().protocol : server_->options_.protocol;
  const bool none_will_do = server_ && !server_->options_.protocol_required && size == 0;
  // RFC 8915 4: the protocol must be agreed on.
  if (!none_will_do && std::string_view(reinterpret_cast<const char*>(name), size) != wanted) {
    return fail_with(TlsFault::kAlpn, "the other side chose no " + wanted);
  }
  state_ = State::kOpen;
}

void TlsSession::feed(Bytes from_network) {
  if (state_ == State::kClosed || state_ == State::kFailed || from_network.empty()) return;
  if (BIO_ctrl_pending(in_) + from_network.size() > kMaxUnread) {
    return fail_with(TlsFault::kProtocol, "more than can be taken in at once");
  }
  std::size_t taken = 0;
  CHECK(BIO_write_ex(in_, from_network.data(), from_network.size(), &taken) == 1);
  CHECK(taken == from_network.size());
  if (state_ == State::kHandshake) advance();
}

void TlsSession::end() {
  if (state_ == State::kClosed || state_ == State::kFailed) return;
  fail_with(TlsFault::kTruncated, "");
}

std::size_t TlsSession::read(MutableBytes out) {
  if (state_ != State::kOpen || out.empty()) return 0;
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &count);
  if (result == 1) return count;
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) {
    state_ = State::kClosed;
  } else {
    fail_by_library(result);
  }
  return 0;
}

void TlsSession::write(Bytes plain) {
  if (state_ == State::kFailed) return;
  CHECK(state_ != State::kHandshake && !closing_);
  ERR_clear_error();
  while (!plain.empty()) {
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
    if (result != 1) return fail_by_library(result);
    plain = plain.subspan(count);
  }
}

void TlsSession::close() {
  if (closing_ || state_ == State::kHandshake || state_ == State::kFailed) return;
  closing_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Bytes TlsSession::outgoing() const {
  char* data = nullptr;
  const long size = BIO_get_mem_data(out_, &data);
  return std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
}

void TlsSession::sent(std::size_t count) {
  CHECK(count <= outgoing().size());
  if (count == outgoing().size()) {
    static_cast<void>(BIO_reset(out_));
    return;
  }
  std::array<char, 4096> scratch;
  while (count > 0) {
    const int taken =
        BIO_read(out_, scratch.data(), static_cast<int>(std::min(count, scratch.size())));
    CHECK(taken > 0);
    count -= static_cast<std::size_t>(taken);
  }
}

bool TlsSession::export_key(std::string_view label, Bytes context, MutableBytes out) const {
  if (SSL_is_init_finished(ssl_.get()) != 1 || state_ == State::kFailed) return false;
  const bool done = SSL_export_keying_material(
                        ssl_.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(),
                        label.data(), label.size(), raw(context), context.size(), 1) == 1;
  ERR_clear_error();
  return done;
}

std::string TlsSession::fault_text() const {
  std::string out(describe(fault_));
  if (!detail_.empty()) out += ": " + detail_;
  return out;
}

std::string_view TlsSession::version() const {
  return SSL_get_version(ssl_.get());
}

std::string_view TlsSession::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  return cipher == nullptr ? "" : SSL_CIPHER_get_name(cipher);
}

bool TlsSession::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string_view TlsSession::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

}  // namespace timepool::net

#include "net/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/tls_verification.h"
#include "sys/file.h"

namespace timepool::net {
namespace {

// The longest name of DNS; what is longer is no name.
constexpr std::size_t kMaxHostName = 255;

Error library_error(ErrorCode code, std::string operation) {
  const unsigned long last = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(last);
  ERR_clear_error();
  return {code, std::move(operation), reason == nullptr ? "OpenSSL fails" : reason};
}

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> out(SSL_CTX_new(method), SSL_CTX_free);
  CHECK(out != nullptr);
  SSL_CTX* raw = out.get();
  // RFC 8915 3: TLS 1.3 or later.
  CHECK(SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  return out;
}

std::string wire_protocol(std::string_view protocol) {
  return static_cast<char>(protocol.size()) + std::string(protocol);
}

// In lower case without a final dot, into `room`; empty when it is too long.
std::string_view normal_name(std::string_view name, std::array<char, kMaxHostName>& room) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > room.size()) return {};
  std::transform(name.begin(), name.end(), room.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return {room.data(), name.size()};
}

void use_tickets(SSL_CTX* context, const TlsServerOptions& options) {
  SSL_CTX_set_num_tickets(context, options.tickets);
  SSL_CTX_set_max_early_data(context, 0);
  if (options.tickets == 0) return;
  // All of a connection's state is in its ticket: nothing is kept here, and another thread takes it
  // as well.
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_timeout(context, options.ticket_life.ns() / 1'000'000'000);
}

Result<void> use_certificate(SSL_CTX* context, const TlsCertificate& it) {
  if (SSL_CTX_use_cert_and_key(context, it.leaf(), it.key(), it.rest(), 1) == 1) return {};
  return fail(library_error(ErrorCode::kInvalid, "certificate of " + it.info().subject));
}

Result<std::size_t> add_authorities(X509_STORE* store, std::string_view pem,
                                    const std::string& place) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  CHECK(bio != nullptr);
  std::size_t count = 0;
  while (X509* read = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(read, X509_free);
    if (X509_STORE_add_cert(store, read) != 1) {
      return fail(library_error(ErrorCode::kInvalid, place));
    }
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return fail(Error{ErrorCode::kInvalid, place, "no certificate in PEM"});
  return count;
}

}  // namespace

// What OpenSSL calls while it reads a client's hello.
struct TlsServerCallbacks {
  static TlsServerContext* self(void* argument) { return static_cast<TlsServerContext*>(argument); }

  // A client that offers no protocol at all would else get past the choice below.
  static int hello(SSL* ssl, int* alert, void* argument) {
    if (!self(argument)->options_.protocol_required) return SSL_CLIENT_HELLO_SUCCESS;
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    constexpr unsigned kAlpn = TLSEXT_TYPE_application_layer_protocol_negotiation;
    constexpr unsigned kVersions = TLSEXT_TYPE_supported_versions;
    // Without TLS 1.3 that is what is wrong, whatever else is missing.
    if (SSL_client_hello_get0_ext(ssl, kVersions, &data, &size) != 1 ||
        SSL_client_hello_get0_ext(ssl, kAlpn, &data, &size) == 1) {
      return SSL_CLIENT_HELLO_SUCCESS;
    }
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
  }

  static int name(SSL* ssl, int* alert, void* argument) {
    const TlsServerContext* context = self(argument);
    const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (context->options_.name_required && !context->has_name(asked == nullptr ? "" : asked)) {
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    const std::size_t index = context->chosen(asked == nullptr ? "" : asked);
    if (index != 0) SSL_set_SSL_CTX(ssl, context->contexts_[index].get());
    return asked == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
  }

  static int protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                      const unsigned char* in, unsigned in_size, void* argument) {
    const std::string& wanted = self(argument)->options_.protocol;
    for (unsigned at = 0; at < in_size;) {
      const unsigned size = in[at];
      if (size > in_size - at - 1) break;
      const std::string_view offered(reinterpret_cast<const char*>(in + at + 1), size);
      if (offered == wanted) {
        *out = in + at + 1;
        *out_size = in[at];
        return SSL_TLSEXT_ERR_OK;
      }
      at += 1 + size;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2: no_application_protocol
  }

  static void set(SSL_CTX* context, TlsServerContext* argument) {
    SSL_CTX_set_client_hello_cb(context, hello, argument);
    SSL_CTX_set_tlsext_servername_callback(context, name);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
    SSL_CTX_set_alpn_select_cb(context, protocol, argument);
  }
};

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::create(
    std::vector<TlsCertificate> certificates, TlsServerOptions options) {
  if (certificates.empty() || certificates.size() > kMaxCertificates) {
    return fail(Error{ErrorCode::kInvalid, "certificates",
                      "1 to " + std::to_string(kMaxCertificates) + " are needed"});
  }
  CHECK(!options.protocol.empty() && options.protocol.size() < 256);
  std::shared_ptr<TlsServerContext> out(new TlsServerContext);
  out->certificates_ = std::move(certificates);
  out->options_ = std::move(options);
  for (const TlsCertificate& it : out->certificates_) {
    std::shared_ptr<SSL_CTX> context = make_context(TLS_server_method());
    use_tickets(context.get(), out->options_);
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    // The cheapest first: what is said is short, and a hash of 256 bits is enough for its keys.
    CHECK(SSL_CTX_set_ciphersuites(context.get(),
                                   "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
                                   "TLS_AES_256_GCM_SHA384") == 1);
    TRY(use_certificate(context.get(), it));
    TlsServerCallbacks::set(context.get(), out.get());
    out->contexts_.push_back(std::move(context));
  }
  out->index_names();
  return std::shared_ptr<const TlsServerContext>(std::move(out));
}

void TlsServerContext::index_names() {
  for (std::size_t i = 0; i < certificates_.size(); ++i) {
    for (const std::string& name : certificates_[i].info().dns_names) by_name_.emplace(name, i);
  }
}

std::size_t TlsServerContext::chosen(std::string_view server_name) const {
  std::array<char, kMaxHostName> room{};
  const std::string name(normal_name(server_name, room));
  if (name.empty()) return 0;
  if (const auto exact = by_name_.find(name); exact != by_name_.end()) return exact->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return 0;
  const auto wildcard = by_name_.find("*" + name.substr(dot));
  return wildcard == by_name_.end() ? 0 : wildcard->second;
}

bool TlsServerContext::has_name(std::string_view server_name) const {
  std::array<char, kMaxHostName> room{};
  const std::string name(normal_name(server_name, room));
  const std::size_t dot = std::min(name.find('.'), name.size());
  return !name.empty() && (by_name_.contains(name) || by_name_.contains("*" + name.substr(dot)));
}

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::create(TlsClientOptions options) {
  std::shared_ptr<TlsClientContext> out(new TlsClientContext);
  out->context_ = make_context(TLS_client_method());
  X509_STORE* store = SSL_CTX_get_cert_store(out->context_.get());
  std::size_t authorities = 0;
  for (const std::string& file : options.ca_files) {
    const std::string pem = TRY(sys::read_file(file, kMaxAuthorityFile));
    authorities += TRY(add_authorities(store, pem, file));
  }
  if (!options.ca_pem.empty()) {
    authorities += TRY(add_authorities(store, options.ca_pem, "authorities"));
  }
  const bool by_pins = options.pins_suffice && !options.pins.empty();
  if ((authorities == 0 && !by_pins) || options.pins.size() > kMaxPins) {
    return fail(Error{ErrorCode::kInvalid, "whom to trust",
                      options.pins.size() > kMaxPins ? "too many pinned keys"
                                                     : "neither an authority nor a pinned key"});
  }
  const std::string offered = wire_protocol(options.protocol);
  CHECK(SSL_CTX_set_alpn_protos(out->context_.get(),
                                reinterpret_cast<const unsigned char*>(offered.data()),
                                static_cast<unsigned>(offered.size())) == 0);
  SSL_CTX_set_verify(out->context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(out->context_.get(), verify_server, nullptr);
  out->options_ = std::move(options);
  return std::shared_ptr<const TlsClientContext>(std::move(out));
}

}  // namespace timepool::net

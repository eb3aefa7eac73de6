#include "certificates/alpn_look.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "acme/json_fields.h"
#include "certificates/challenge_board.h"
#include "crypto/alpn_proof.h"
#include "crypto/digest.h"
#include "net/resolver.h"
#include "net/tls_look.h"
#include "sys/clock.h"

namespace timepool::certificates {
namespace {

// Of a name; authorities try two or three.
constexpr std::size_t kMaxAddresses = 4;

std::string where(const SelfCheckSettings& settings) {
  return "port " + std::to_string(settings.tls_port);
}

std::string must_be_open(const SelfCheckSettings& settings) {
  return ": the name must resolve to this machine, and " + where(settings) +
         " be open to everybody";
}

// IPv6 first, as authorities try them.
net::LookupResult look_up(const std::string& name, Duration timeout, int cancel_fd) {
  net::LookupResult out;
  net::ResolverOptions options;
  options.timeout = timeout;
  const auto resolver = net::Resolver::create(options);
  if (!resolver.ok()) return out;
  bool done = false;
  (*resolver)->lookup(name, net::LookupFamily::kBoth, sys::mono_now(),
                      [&](const net::LookupResult& result) {
                        out = result;
                        done = true;
                      });
  while (!done) {
    const Duration wait = (*resolver)->next_deadline() - sys::mono_now();
    std::array<pollfd, 2> fds{{{(*resolver)->fd(), POLLIN, 0}, {cancel_fd, POLLIN, 0}}};
    const std::int64_t most = timeout.ns() / 1'000'000;
    ::poll(fds.data(), fds.size(),
           static_cast<int>(std::clamp<std::int64_t>(wait.ns() / 1'000'000 + 1, 0, most)));
    if (fds[1].revents != 0) return out;
    (*resolver)->process(sys::mono_now());
  }
  std::stable_partition(out.addresses.begin(), out.addresses.end(),
                        [](const IpAddress& it) { return !it.is_v4(); });
  if (out.addresses.size() > kMaxAddresses) out.addresses.resize(kMaxAddresses);
  return out;
}

// Of the certificate that somebody shows.
std::string whose(const net::CertificateInfo& certificate) {
  constexpr std::size_t kMost = 80;
  const auto& names = certificate.dns_names;
  if (!names.empty()) return "a certificate for " + acme::plain(names.front(), kMost);
  if (certificate.subject.empty()) return "a certificate without names";
  return "a certificate of " + acme::plain(certificate.subject, kMost);
}

constexpr std::string_view kPassOn =
    ": what ends TLS there must pass connections with the protocol acme-tls/1 on, untouched, or "
    "leave the port to this program";

std::string text_of_fault(const net::TlsSight& sight) {
  switch (sight.fault) {
    case net::TlsFault::kNotTls:
      return "something that speaks no TLS answers";
    case net::TlsFault::kAlpn:
      return "another server answers, which does not know acme-tls/1" + std::string(kPassOn);
    case net::TlsFault::kVersion:
      return "a server without TLS 1.2 answers" + std::string(kPassOn);
    case net::TlsFault::kAlert:
      // As OpenSSL calls the alert of RFC 6066 3.
      if (sight.text.find("unrecognized name") != std::string::npos) {
        return "the server that answers does not know the name" + std::string(kPassOn);
      }
      return "the server that answers gives up (" + sight.text + ")" + std::string(kPassOn);
    default:
      return "the server that answers speaks TLS otherwise (" + sight.text + ")" +
             std::string(kPassOn);
  }
}

// What is wrong with what was shown; "" for nothing.
std::string text_of_shown(const net::TlsSight& sight, const acme::Challenge& challenge) {
  if (sight.protocol != kAcmeTlsProtocol) {
    return "another server answers, which shows " + whose(*sight.certificate) +
           " and does not know acme-tls/1" + std::string(kPassOn);
  }
  const std::string& proof = challenge.key_authorization;
  const auto judged = crypto::judge_alpn_certificate(
      sight.der, challenge.name.value,
      crypto::sha256(std::as_bytes(std::span(proof.data(), proof.size()))));
  if (judged == crypto::AlpnProof::kGood) return "";
  return whose(*sight.certificate) + " is shown, but " + std::string(describe(judged)) +
         ": another program proves names there";
}

// Whether the next address is to be tried, as an authority would.
bool nobody_answers(net::TlsLookEnd end) {
  return end == net::TlsLookEnd::kRefused || end == net::TlsLookEnd::kUnreachable ||
         end == net::TlsLookEnd::kTimeout;
}

void judge(const net::TlsSight& sight, const acme::Challenge& challenge, SelfCheck& out) {
  out.seen = Seen::kOther;
  switch (sight.end) {
    case net::TlsLookEnd::kShown:
      out.text = text_of_shown(sight, challenge);
      if (!out.text.empty()) return;
      out.seen = Seen::kProof;
      out.text = "the proof was seen";
      return;
    case net::TlsLookEnd::kTls:
      out.text = text_of_fault(sight);
      return;
    case net::TlsLookEnd::kEnded:
      out.text =
          "whoever answers ends the connection: it is another timepool's responder, or a "
          "firewall or proxy that does not know acme-tls/1";
      return;
    default:
      out.seen = Seen::kUnreachable;
      out.text = sight.text;
  }
}

}  // namespace

SelfCheck look_by_tls(const acme::Challenge& challenge, const SelfCheckSettings& settings,
                      int cancel_fd) {
  const std::string& name = challenge.name.value;
  SelfCheck out;
  out.name = name;
  out.challenge = challenge.type;
  out.at = name + ":" + std::to_string(settings.tls_port);
  const net::LookupResult found = look_up(name, settings.timeout, cancel_fd);
  if (found.addresses.empty()) {
    out.text = "the name has no address (" + std::string(name_of(found.status)) + ")" +
               must_be_open(settings);
    return out;
  }
  std::string silent;  // who did not answer, and why
  for (const IpAddress& address : found.addresses) {
    const net::TlsSight sight = net::look_at_tls({{address, settings.tls_port},
                                                  name,
                                                  std::string(kAcmeTlsProtocol),
                                                  settings.timeout,
                                                  cancel_fd});
    if (nobody_answers(sight.end)) {
      silent += (silent.empty() ? "" : ", ") + format(address) + ": " + sight.text;
      continue;
    }
    judge(sight, challenge, out);
    out.text += " (" + format(Endpoint{address, settings.tls_port}) + ")";
    if (!silent.empty()) out.text += "; nobody answers at " + silent;
    return out;
  }
  out.text = "nobody answers at " + silent + must_be_open(settings);
  return out;
}

}  // namespace timepool::certificates

// KeyExporter: the keys that a TLS session gives to both of its ends beside itself (RFC 8446 7.5),
// and what RFC 8915 5.1 derives from them. TLS itself lies outside.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/aead.h"
#include "nts/session_keys.h"

namespace timepool::nts {

// RFC 8915 4.2: the protocol's name in ALPN.
inline constexpr std::string_view kAlpn = "ntske/1";
// RFC 8915 5.1
inline constexpr std::string_view kExporterLabel = "EXPORTER-network-time-security";
inline constexpr std::size_t kExporterContextSize = 5;
using ExporterContext = std::array<std::byte, kExporterContextSize>;

enum class KeyDirection : std::uint8_t { kClientToServer = 0, kServerToClient = 1 };

class KeyExporter {
 public:
  virtual ~KeyExporter() = default;
  // The exporter of the session under `label` with `context`: out.size() octets. False when the
  // session can't (its handshake is not over, memory).
  virtual bool export_key(std::string_view label, Bytes context, MutableBytes out) = 0;
};

// That of anything with export_key(label, context, out), as a TLS session has it. It must outlive
// the exporter.
template <typename Session>
class SessionExporter final : public KeyExporter {
 public:
  explicit SessionExporter(const Session& session) : session_(session) {}
  bool export_key(std::string_view label, Bytes context, MutableBytes out) override {
    return session_.export_key(label, context, out);
  }

 private:
  const Session& session_;
};

// RFC 8915 5.1: two octets of the protocol (NTPv4), two of the AEAD algorithm, one of direction.
// `aead` is a number, since one may be named that the keys are not for (see below).
ExporterContext exporter_context(std::uint16_t aead, KeyDirection direction);

// Which context the keys of AES-128-GCM-SIV come from. chrony 4.4 to 4.6 named AES-SIV-CMAC-256 in
// it; later ones do so when the other side does not send a record 1024. For AES-SIV-CMAC-256 both
// are the same.
enum class GcmSivContext : std::uint8_t { kCompliant, kOfChrony44 };

// Both keys; nothing when the exporter can't.
std::optional<SessionKeys> export_session_keys(KeyExporter& exporter, AeadId aead,
                                               GcmSivContext context);

}  // namespace timepool::nts

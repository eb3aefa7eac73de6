#include "nts/key_exporter.h"

#include "wire/nts/record.h"

namespace timepool::nts {

ExporterContext exporter_context(std::uint16_t aead, KeyDirection direction) {
  ExporterContext out{};
  ByteWriter writer(out);
  writer.u16(wire::nts::kProtocolNtpv4);
  writer.u16(aead);
  writer.u8(static_cast<std::uint8_t>(direction));
  return out;
}

std::optional<SessionKeys> export_session_keys(KeyExporter& exporter, AeadId aead,
                                               GcmSivContext context) {
  const AeadId named = context == GcmSivContext::kCompliant ? aead : AeadId::kAesSivCmac256;
  const auto number = static_cast<std::uint16_t>(named);
  SessionKeys out;
  out.aead = aead;
  const auto c2s = exporter_context(number, KeyDirection::kClientToServer);
  const auto s2c = exporter_context(number, KeyDirection::kServerToClient);
  const std::size_t size = key_size(aead);
  if (!exporter.export_key(kExporterLabel, c2s, MutableBytes(out.client_to_server).first(size)) ||
      !exporter.export_key(kExporterLabel, s2c, MutableBytes(out.server_to_client).first(size))) {
    return std::nullopt;
  }
  return out;
}

}  // namespace timepool::nts

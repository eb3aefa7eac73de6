#include "dns/chaos.h"

#include <array>
#include <string_view>

#include "base/byte_writer.h"
#include "base/check.h"

namespace timepool::dns {
namespace {

using wire::dns::NameView;
using wire::dns::RrClass;
using wire::dns::RrType;

bool is(NameView name, std::string_view first, std::string_view second) {
  return name.label_count() == 2 && wire::dns::same_label(name.first_label(), first) &&
         wire::dns::same_label(name.parent().first_label(), second);
}

Reason refuse(Reply& reply) {
  reply.set_rcode(wire::dns::Rcode::kRefused);
  reply.set_extended_error(ExtendedCode::kProhibited);
  return Reason::kRefusedClass;
}

}  // namespace

Reason answer_chaos(const Asked& asked, Reply& reply) {
  const NameView name = asked.query.name;
  const ResponderSettings& settings = asked.served.settings;
  const bool version = is(name, "version", "bind") || is(name, "version", "server");
  const bool identity = is(name, "id", "server") || is(name, "hostname", "bind");
  const std::string& text = version ? settings.version : settings.identity;
  if ((!version && !identity) || text.empty() ||
      (asked.query.type != RrType::kTxt && asked.query.type != RrType::kAny)) {
    return refuse(reply);
  }
  std::array<std::byte, CompiledZones::kRecordHead + 1 + kMaxIdentity> bytes;
  ByteWriter record(bytes);
  record.u16(0);
  record.u16(static_cast<std::uint16_t>(RrType::kTxt));
  record.u16(static_cast<std::uint16_t>(RrClass::kCh));
  record.u32(0);
  record.u16(static_cast<std::uint16_t>(text.size() + 1));
  record.u8(static_cast<std::uint8_t>(text.size()));
  record.text(text);
  CHECK(record.ok());  // the settings were checked against kMaxIdentity
  reply.set_authoritative(true);
  reply.put(wire::dns::Section::kAnswer, record.written(), wire::dns::kHeaderSize);
  return Reason::kChaos;
}

}  // namespace timepool::dns

#include "wire/dns/tsig.h"

#include "wire/dns/constants.h"

namespace timepool::wire::dns {
namespace {

constexpr std::uint64_t kTimeMask = 0xffff'ffff'ffff;

void put_time(ByteWriter& writer, std::uint64_t time) {
  writer.u16(static_cast<std::uint16_t>((time & kTimeMask) >> 32));
  writer.u32(static_cast<std::uint32_t>(time));
}

std::size_t data_size(const Tsig& tsig) {
  return tsig.algorithm.size() + 6 + 2 + 2 + tsig.mac.size() + 2 + 2 + 2 + tsig.other.size();
}

}  // namespace

Result<Tsig, Malformed> parse_tsig(Bytes message, std::size_t offset) {
  ByteReader reader(message);
  reader.seek(offset);
  Tsig out;
  out.key = TRY(parse_name(reader));
  const auto type = static_cast<RrType>(reader.u16());
  const auto klass = static_cast<RrClass>(reader.u16());
  const std::uint32_t ttl = reader.u32();
  const std::size_t length = reader.u16();
  if (!reader.ok() || reader.remaining() != length) return fail(Malformed::kShortRecord);
  // RFC 8945 4.2.
  if (type != RrType::kTsig || klass != RrClass::kAny || ttl != 0) {
    return fail(Malformed::kRdataValue);
  }
  out.algorithm = TRY(parse_plain_name(reader));
  out.time = std::uint64_t{reader.u16()} << 32;
  out.time |= reader.u32();
  out.fudge = reader.u16();
  out.mac = reader.bytes(reader.u16());
  out.original_id = reader.u16();
  out.error = static_cast<TsigError>(reader.u16());
  out.other = reader.bytes(reader.u16());
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  if (reader.remaining() > 0) return fail(Malformed::kRdataLong);
  return out;
}

void write_tsig(ByteWriter& writer, const Tsig& tsig) {
  writer.bytes(tsig.key.wire());
  writer.u16(static_cast<std::uint16_t>(RrType::kTsig));
  writer.u16(static_cast<std::uint16_t>(RrClass::kAny));
  writer.u32(0);
  writer.u16(static_cast<std::uint16_t>(data_size(tsig)));
  writer.bytes(tsig.algorithm.wire());
  put_time(writer, tsig.time);
  writer.u16(tsig.fudge);
  writer.u16(static_cast<std::uint16_t>(tsig.mac.size()));
  writer.bytes(tsig.mac);
  writer.u16(tsig.original_id);
  writer.u16(static_cast<std::uint16_t>(tsig.error));
  writer.u16(static_cast<std::uint16_t>(tsig.other.size()));
  writer.bytes(tsig.other);
}

std::size_t tsig_size(const Tsig& tsig) {
  return tsig.key.size() + 10 + data_size(tsig);
}

void write_tsig_variables(ByteWriter& writer, const Tsig& tsig) {
  writer.bytes(lowered(tsig.key).wire());
  writer.u16(static_cast<std::uint16_t>(RrClass::kAny));
  writer.u32(0);
  writer.bytes(lowered(tsig.algorithm).wire());
  write_tsig_timers(writer, tsig);
  writer.u16(static_cast<std::uint16_t>(tsig.error));
  writer.u16(static_cast<std::uint16_t>(tsig.other.size()));
  writer.bytes(tsig.other);
}

void write_tsig_timers(ByteWriter& writer, const Tsig& tsig) {
  put_time(writer, tsig.time);
  writer.u16(tsig.fudge);
}

}  // namespace timepool::wire::dns

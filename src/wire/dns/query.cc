#include "wire/dns/query.h"

namespace timepool::wire::dns {
namespace {

// For what was checked to be there: one check for many fields.
std::uint16_t load16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8 |
                                    std::to_integer<unsigned>(at[1]));
}
std::uint32_t load32(const std::byte* at) {
  return std::uint32_t{load16(at)} << 16 | load16(at + 2);
}

struct RawRecord {
  bool owner_is_root;
  RrType type;
  std::uint16_t klass;
  std::uint32_t ttl;
  Bytes rdata;
};

// The owner is not kept. OPT and TSIG are never compressed to a pointer by a sound sender, but a
// pointer costs nothing to step over.
Result<void, Malformed> skip_name(ByteReader& reader) {
  const Bytes message = reader.buffer();
  const std::size_t start = reader.position();
  std::size_t at = start;
  // OPT's, which is most often all that there is.
  if (at < message.size() && message[at] == std::byte{0}) {
    reader.seek(at + 1);
    return {};
  }
  for (;;) {
    if (at >= message.size()) return fail(Malformed::kNameShort);
    const auto length = std::to_integer<std::size_t>(message[at]);
    if (length >= 0xc0) {
      // It is validated in full.
      const auto name = parse_name(reader);
      if (!name.ok()) return fail(name.error());
      return {};
    }
    if (length > kMaxLabel) return fail(Malformed::kLabelType);
    at += 1 + length;
    if (at - start > kMaxName) return fail(Malformed::kNameTooLong);
    if (length == 0) break;
  }
  if (at > message.size()) return fail(Malformed::kNameShort);
  reader.seek(at);
  return {};
}

Result<void, Malformed> read_record(ByteReader& reader, RawRecord& out) {
  const std::size_t start = reader.position();
  TRY(skip_name(reader));
  out.owner_is_root = reader.position() == start + 1;
  constexpr std::size_t kFixed = 10;  // type, class, TTL, length
  const Bytes fixed = reader.bytes(kFixed);
  if (!reader.ok()) return fail(Malformed::kShortRecord);
  out.type = static_cast<RrType>(load16(fixed.data()));
  out.klass = load16(fixed.data() + 2);
  out.ttl = load32(fixed.data() + 4);
  out.rdata = reader.bytes(load16(fixed.data() + 8));
  if (!reader.ok()) return fail(Malformed::kShortRecord);
  return {};
}

Result<void, Malformed> check_header(const Header& header) {
  if (header.has(Header::kQr)) return fail(Malformed::kIsResponse);
  if (header.opcode() != Opcode::kQuery) return fail(Malformed::kOpcode);
  if (header.question_count > 1) return fail(Malformed::kQuestionCount);
  if (header.answer_count != 0) return fail(Malformed::kAnswerInQuery);
  return {};
}

Result<void, Malformed> read_header(ByteReader& reader, Header& header) {
  const Bytes bytes = reader.bytes(kHeaderSize);
  if (!reader.ok()) return fail(Malformed::kShortHeader);
  const std::byte* at = bytes.data();
  header = {load16(at),     load16(at + 2), load16(at + 4),
            load16(at + 6), load16(at + 8), load16(at + 10)};
  return {};
}

Result<void, Malformed> read_question(ByteReader& reader, Query& query) {
  query.name = TRY(parse_plain_name(reader));
  const Bytes fixed = reader.bytes(4);
  if (!reader.ok()) return fail(Malformed::kShortQuestion);
  query.type = static_cast<RrType>(load16(fixed.data()));
  query.klass = static_cast<RrClass>(load16(fixed.data() + 2));
  query.has_question = true;
  query.question_end = static_cast<std::uint16_t>(reader.position());
  return {};
}

// RFC 1995 3: the authority section of an IXFR request holds the SOA that the client has.
Result<void, Malformed> read_authority(ByteReader& reader, const Query& query) {
  if (query.header.authority_count == 0) return {};
  if (query.header.authority_count > 1 || !query.has_question || query.type != RrType::kIxfr) {
    return fail(Malformed::kAuthorityInQuery);
  }
  RawRecord record{};
  TRY(read_record(reader, record));
  if (record.type == RrType::kOpt) return fail(Malformed::kOptSection);
  if (record.type != RrType::kSoa) return fail(Malformed::kAuthorityInQuery);
  return {};
}

// Bounded by the datagram: a record has 11 bytes at the least.
Result<void, Malformed> read_additional(ByteReader& reader, Query& query) {
  for (unsigned left = query.header.additional_count; left > 0; --left) {
    if (query.tsig_offset != 0) return fail(Malformed::kTsigPlace);
    const std::size_t start = reader.position();
    RawRecord record{};
    TRY(read_record(reader, record));
    if (record.type == RrType::kTsig) query.tsig_offset = static_cast<std::uint16_t>(start);
    if (record.type != RrType::kOpt) continue;
    if (query.edns) return fail(Malformed::kOptTwice);
    if (!record.owner_is_root) return fail(Malformed::kOptOwner);
    TRY(parse_edns_into(record.klass, record.ttl, record.rdata, EdnsIn::kQuery,
                        query.edns.emplace()));
  }
  return {};
}

// What resolvers send: one question, and OPT or nothing behind it. Reads that with as few checks as
// it takes. False for everything else, sound or not, which the readers above tell apart; `query`
// may be filled in part then.
bool read_common(Bytes datagram, Query& query) {
  constexpr std::size_t kFixed = 4;  // type and class
  if (datagram.size() < kHeaderSize + 1 + kFixed || datagram.size() > kMaxMessage) return false;
  const std::byte* const start = datagram.data();
  const std::size_t last = datagram.size() - kFixed - 1;  // where a name ends at the latest
  const std::uint16_t flags = load16(start + 2);
  const std::uint16_t additional = load16(start + 10);
  // Neither a response nor of another opcode; one question and no answer; no authority.
  if ((flags & 0xf800) != 0 || load32(start + 4) != 0x0001'0000 || load16(start + 8) != 0 ||
      additional > 1) {
    return false;
  }
  std::size_t at = kHeaderSize;
  for (;;) {
    const auto length = std::to_integer<std::size_t>(start[at]);
    if (length == 0) break;
    at += 1 + length;
    if (length > kMaxLabel || at > last) return false;
  }
  ++at;
  if (at - kHeaderSize > kMaxName) return false;
  query.header = {load16(start), flags, 1, 0, 0, additional};
  query.name = NameView::from_valid_wire(datagram.subspan(kHeaderSize, at - kHeaderSize));
  query.type = static_cast<RrType>(load16(start + at));
  query.klass = static_cast<RrClass>(load16(start + at + 2));
  query.has_question = true;
  at += kFixed;
  query.question_end = static_cast<std::uint16_t>(at);
  const std::size_t left = datagram.size() - at;
  if (additional == 0) return left == 0;
  // The root, OPT, and all that is left as its data.
  const std::byte* const opt = start + at;
  if (left < kOptSize || opt[0] != std::byte{0} ||
      static_cast<RrType>(load16(opt + 1)) != RrType::kOpt || load16(opt + 9) != left - kOptSize) {
    return false;
  }
  return parse_edns_into(load16(opt + 3), load32(opt + 5), datagram.subspan(at + kOptSize),
                         EdnsIn::kQuery, query.edns.emplace())
      .ok();
}

}  // namespace

Result<void, Malformed> parse_query_into(Bytes datagram, Query& query) {
  if (read_common(datagram, query)) return {};
  query = Query();
  return parse_any_query_into(datagram, query);
}

Result<void, Malformed> parse_any_query_into(Bytes datagram, Query& query) {
  if (datagram.size() > kMaxMessage) return fail(Malformed::kTooLong);
  ByteReader reader(datagram);
  TRY(read_header(reader, query.header));
  TRY(check_header(query.header));
  if (query.header.question_count == 1) TRY(read_question(reader, query));
  TRY(read_authority(reader, query));
  TRY(read_additional(reader, query));
  if (reader.remaining() > 0) return fail(Malformed::kTrailing);
  if (!query.has_question && !(query.edns && query.edns->cookie)) {
    return fail(Malformed::kQuestionCount);
  }
  return {};
}

Result<Query, Malformed> parse_query(Bytes datagram) {
  Query query;
  TRY(parse_query_into(datagram, query));
  return query;
}

Rcode rcode_for(Malformed malformed) {
  return malformed == Malformed::kOpcode ? Rcode::kNotImp : Rcode::kFormErr;
}

bool must_drop(Malformed malformed) {
  return malformed == Malformed::kShortHeader || malformed == Malformed::kIsResponse ||
         malformed == Malformed::kTooLong;
}

}  // namespace timepool::wire::dns

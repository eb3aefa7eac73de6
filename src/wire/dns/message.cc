#include "wire/dns/message.h"

namespace timepool::wire::dns {
namespace {

Section section_of(unsigned index, const Header& header) {
  if (index < header.answer_count) return Section::kAnswer;
  return index < unsigned{header.answer_count} + header.authority_count ? Section::kAuthority
                                                                        : Section::kAdditional;
}

unsigned total_records(const Header& header) {
  return unsigned{header.answer_count} + header.authority_count + header.additional_count;
}

Result<Record, Malformed> read_record(ByteReader& reader, Section section) {
  Record out;
  out.section = section;
  out.owner = TRY(parse_name(reader));
  out.type = static_cast<RrType>(reader.u16());
  out.klass = static_cast<RrClass>(reader.u16());
  out.ttl = reader.u32();
  const std::size_t length = reader.u16();
  out.rdata_offset = reader.position();
  out.rdata = reader.bytes(length);
  if (!reader.ok()) return fail(Malformed::kShortRecord);
  return out;
}

Result<Rdata, Malformed> read_rdata(Bytes message, const Record& record) {
  ByteReader reader(message);
  reader.seek(record.rdata_offset);
  // RFC 2136 2.4, 2.5: records of class NONE or ANY, in an UPDATE, may lack their data.
  const bool empty =
      record.rdata.empty() && (record.klass == RrClass::kAny || record.klass == RrClass::kNone);
  if (empty) return Rdata(RawData{});
  return parse_rdata(reader, record.type, record.rdata.size());
}

}  // namespace

std::optional<Record> RecordCursor::next() {
  if (done_ >= total_records(header_)) return std::nullopt;
  auto record = read_record(reader_, section_of(done_, header_));
  CHECK(record.ok());
  ++done_;
  return *record;
}

Result<Message, Malformed> Message::parse(Bytes bytes) {
  if (bytes.size() > kMaxMessage) return fail(Malformed::kTooLong);
  ByteReader reader(bytes);
  Message out;
  out.bytes_ = bytes;
  out.header_ = TRY(parse_header(reader));
  if (out.header_.question_count > kMaxQuestions) return fail(Malformed::kQuestionCount);
  for (unsigned i = 0; i < out.header_.question_count; ++i) {
    CHECK(out.questions_.push_back(TRY(parse_question(reader))));
  }
  out.records_at_ = reader.position();
  const EdnsIn in = out.header_.has(Header::kQr) ? EdnsIn::kResponse : EdnsIn::kQuery;
  // Bounded by the bytes: each record has 11 at the least.
  const unsigned total = total_records(out.header_);
  for (unsigned i = 0; i < total; ++i) {
    const Record record = TRY(read_record(reader, section_of(i, out.header_)));
    static_cast<void>(TRY(read_rdata(bytes, record)));
    if (record.type == RrType::kTsig && i + 1 != total) return fail(Malformed::kTsigPlace);
    if (record.type != RrType::kOpt) continue;
    if (record.section != Section::kAdditional) return fail(Malformed::kOptSection);
    if (out.edns_) return fail(Malformed::kOptTwice);
    if (!record.owner.is_root()) return fail(Malformed::kOptOwner);
    out.edns_ =
        TRY(parse_edns(static_cast<std::uint16_t>(record.klass), record.ttl, record.rdata, in));
  }
  if (reader.remaining() > 0) return fail(Malformed::kTrailing);
  return out;
}

Rcode Message::rcode() const {
  const unsigned upper = edns_ ? edns_->header.extended_rcode : 0U;
  return static_cast<Rcode>(upper << 4 | static_cast<unsigned>(header_.rcode()));
}

RecordCursor Message::records() const {
  ByteReader reader(bytes_);
  reader.seek(records_at_);
  return RecordCursor(reader, header_);
}

Rdata Message::rdata(const Record& record) const {
  auto out = read_rdata(bytes_, record);
  CHECK(out.ok());
  return *out;
}

std::string format(const Message& message, const Record& record) {
  return format(record.owner) + ' ' + std::to_string(record.ttl) + ' ' + format(record.klass) +
         ' ' + format(record.type) + ' ' + format_rdata(message.rdata(record));
}

}  // namespace timepool::wire::dns

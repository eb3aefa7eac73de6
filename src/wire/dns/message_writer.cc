#include "wire/dns/message_writer.h"

#include <algorithm>
#include <iterator>

namespace timepool::wire::dns {
namespace {

// RFC 1035 4.1.4: a pointer has 14 bits.
constexpr std::size_t kMaxPointer = 0x3fff;

std::uint16_t short_hash(NameView name) {
  return static_cast<std::uint16_t>(hash(name));
}

}  // namespace

void MessageWriter::header(const Header& header) {
  CHECK(writer_.size() == 0);
  flags_ = header.flags;
  truncated_ = header.has(Header::kTc);
  write(writer_, header);
  CHECK(writer_.ok());
  question_end_ = kHeaderSize;
}

bool MessageWriter::question(NameView name, RrType type, RrClass klass) {
  CHECK(question_end_ == writer_.size());
  if (name.size() + 4 > remaining()) return false;
  static_cast<void>(write_name(name));
  writer_.u16(static_cast<std::uint16_t>(type));
  writer_.u16(static_cast<std::uint16_t>(klass));
  ++question_count_;
  question_end_ = writer_.size();
  question_names_ = names_.size();
  return true;
}

bool MessageWriter::record(Section section, NameView owner, RrType type, RrClass klass,
                           std::uint32_t ttl, const Rdata& rdata) {
  const Mark start = mark();
  begin_record(section, owner, type, klass, ttl);
  const std::size_t data_at = writer_.size();
  write_data(type, rdata);
  return end_record(data_at, start);
}

bool MessageWriter::address(Section section, NameView owner, std::uint32_t ttl,
                            const IpAddress& address) {
  return raw(section, owner, address.is_v4() ? RrType::kA : RrType::kAaaa, RrClass::kIn, ttl,
             address.bytes());
}

bool MessageWriter::raw(Section section, NameView owner, RrType type, RrClass klass,
                        std::uint32_t ttl, Bytes rdata) {
  const Mark start = mark();
  begin_record(section, owner, type, klass, ttl);
  const std::size_t data_at = writer_.size();
  writer_.bytes(rdata);
  return end_record(data_at, start);
}

bool MessageWriter::opt(const EdnsHeader& header, Bytes options) {
  reserved_ = 0;
  CHECK(section_ <= Section::kAdditional);
  if (kOptSize + options.size() > writer_.remaining()) return false;
  write_opt(writer_, header, options);
  section_ = Section::kAdditional;
  ++counts_[static_cast<std::size_t>(Section::kAdditional)];
  return true;
}

bool MessageWriter::reserve(std::size_t bytes) {
  if (bytes > writer_.remaining()) return false;
  reserved_ = bytes;
  return true;
}

void MessageWriter::truncate() {
  rewind(Mark{question_end_, question_names_, {0, 0, 0}, Section::kAnswer});
  truncated_ = true;
}

MessageWriter::Mark MessageWriter::mark() const {
  return {writer_.size(), names_.size(), {counts_[0], counts_[1], counts_[2]}, section_};
}

void MessageWriter::rewind(const Mark& mark) {
  CHECK(mark.size <= writer_.size() && mark.names <= names_.size());
  writer_.rewind(mark.size);
  while (names_.size() > mark.names) names_.pop_back();
  std::copy(std::begin(mark.counts), std::end(mark.counts), std::begin(counts_));
  section_ = mark.section;
  if (last_owner_ >= mark.size) last_owner_ = 0;
}

std::size_t MessageWriter::remaining() const {
  return writer_.remaining() > reserved_ ? writer_.remaining() - reserved_ : 0;
}

Bytes MessageWriter::finish() {
  CHECK(question_end_ >= kHeaderSize);
  Header bits;
  bits.flags = flags_;
  bits.set(Header::kTc, truncated_);
  writer_.patch_u16(2, bits.flags);
  writer_.patch_u16(4, question_count_);
  for (std::size_t i = 0; i < 3; ++i) writer_.patch_u16(6 + 2 * i, counts_[i]);
  return writer_.written();
}

void MessageWriter::begin_record(Section section, NameView owner, RrType type, RrClass klass,
                                 std::uint32_t ttl) {
  CHECK(section >= section_ && question_end_ >= kHeaderSize);
  section_ = section;
  // The records of an RRset follow each other: its owner needs no search.
  if (last_owner_ != 0 && is_at(last_owner_, owner)) {
    writer_.u16(static_cast<std::uint16_t>(0xc000 | last_owner_));
  } else {
    last_owner_ = write_name(owner);
  }
  writer_.u16(static_cast<std::uint16_t>(type));
  writer_.u16(static_cast<std::uint16_t>(klass));
  writer_.u32(ttl);
  writer_.u16(0);
}

bool MessageWriter::end_record(std::size_t data_at, const Mark& start) {
  std::uint16_t& count = counts_[static_cast<std::size_t>(section_)];
  const std::size_t length = writer_.size() - data_at;
  const bool fits =
      writer_.ok() && writer_.remaining() >= reserved_ && length <= 0xffff && count < 0xffff;
  if (!fits) {
    rewind(start);
    return false;
  }
  writer_.patch_u16(data_at - 2, static_cast<std::uint16_t>(length));
  ++count;
  return true;
}

std::uint16_t MessageWriter::write_name(NameView name) {
  const std::size_t start = writer_.size();
  NameView rest = name;
  for (; !rest.is_root(); rest = rest.parent()) {
    const std::uint16_t hash = short_hash(rest);
    for (const Known& known : names_) {
      if (known.hash != hash || !is_at(known.offset, rest)) continue;
      writer_.u16(static_cast<std::uint16_t>(0xc000 | known.offset));
      return rest.size() == name.size() ? known.offset : place_of(start);
    }
    const std::size_t at = writer_.size();
    if (at <= kMaxPointer) {
      // When the table is full the name can't be pointed to, which costs only bytes.
      static_cast<void>(names_.push_back({static_cast<std::uint16_t>(at), hash}));
    }
    const std::string_view label = rest.first_label();
    writer_.u8(static_cast<std::uint8_t>(label.size()));
    writer_.text(label);
  }
  writer_.u8(0);
  return name.is_root() ? std::uint16_t{0} : place_of(start);
}

std::uint16_t MessageWriter::place_of(std::size_t offset) {
  return offset <= kMaxPointer ? static_cast<std::uint16_t>(offset) : std::uint16_t{0};
}

bool MessageWriter::is_at(std::size_t offset, NameView name) const {
  const Bytes message = writer_.written();
  NameView rest = name;
  while (offset < message.size()) {
    const auto length = std::to_integer<std::size_t>(message[offset]);
    if (length >= 0xc0) {
      // Every pointer here was written by write_name: back to a whole label, never forward.
      if (offset + 1 >= message.size()) return false;
      offset = (length & 0x3f) << 8 | std::to_integer<std::size_t>(message[offset + 1]);
      continue;
    }
    if (length == 0 || rest.is_root()) return length == 0 && rest.is_root();
    const std::string_view label = rest.first_label();
    if (label.size() != length || offset + 1 + length > message.size()) return false;
    const auto* written = reinterpret_cast<const char*>(message.data() + offset + 1);
    if (!same_label({written, length}, label)) return false;
    offset += 1 + length;
    rest = rest.parent();
  }
  return false;
}

// RFC 3597 4: only the names of RFC 1035's types may be compressed.
void MessageWriter::write_data(RrType type, const Rdata& rdata) {
  if (const auto* data = std::get_if<NameData>(&rdata); data != nullptr && type != RrType::kDname) {
    static_cast<void>(write_name(data->name));
  } else if (const auto* mx = std::get_if<Mx>(&rdata)) {
    writer_.u16(mx->preference);
    static_cast<void>(write_name(mx->exchange));
  } else if (const auto* soa = std::get_if<Soa>(&rdata)) {
    static_cast<void>(write_name(soa->mname));
    static_cast<void>(write_name(soa->rname));
    for (const std::uint32_t field :
         {soa->serial, soa->refresh, soa->retry, soa->expire, soa->minimum}) {
      writer_.u32(field);
    }
  } else {
    write_rdata(writer_, rdata);
  }
}

}  // namespace timepool::wire::dns

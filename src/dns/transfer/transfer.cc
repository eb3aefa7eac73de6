#include "dns/transfer/transfer.h"

#include <algorithm>

#include "base/check.h"
#include "dns/transfer/zone_export.h"
#include "wire/dns/message_writer.h"

namespace timepool::dns {
namespace {

using wire::dns::Header;
using wire::dns::MessageWriter;
using wire::dns::NameView;
using wire::dns::RrClass;
using wire::dns::RrType;
using wire::dns::Section;

// Type, class, TTL and length of the data.
constexpr std::size_t kFixed = 10;

std::shared_ptr<const ZoneDifference> difference(const ZoneVersion& from, const ZoneVersion& to) {
  auto out = std::make_shared<ZoneDifference>();
  out->from = from.soa;
  out->to = to.soa;
  out->from_serial = from.serial;
  std::set_difference(from.records.begin(), from.records.end(), to.records.begin(),
                      to.records.end(), std::back_inserter(out->removed));
  std::set_difference(to.records.begin(), to.records.end(), from.records.begin(),
                      from.records.end(), std::back_inserter(out->added));
  out->size = octets_of(out->removed) + octets_of(out->added);
  return out;
}

// The serial of an SOA of ours: `record` is one of exported_soa().
std::uint32_t serial_of(const TransferRecord& record) {
  ByteReader reader(record.rdata);
  reader.seek(record.rdata.size() - kSoaNumbers);
  return reader.u32();
}

}  // namespace

std::size_t octets_of(const std::vector<TransferRecord>& records) {
  std::size_t out = 0;
  for (const TransferRecord& record : records) {
    out += record.owner.size() + kFixed + record.rdata.size();
  }
  return out;
}

void settle(ZoneVersion& version) {
  auto& records = version.records;
  std::sort(records.begin(), records.end());
  records.erase(std::unique(records.begin(), records.end()), records.end());
  version.size = octets_of(records);
}

std::shared_ptr<const ZoneVersion> version_of(const Zone& zone, std::uint32_t longest_expire) {
  auto out = std::make_shared<ZoneVersion>();
  out->origin = zone.origin;
  out->serial = zone.serial;
  out->soa = exported_soa(zone);
  bound_soa_expire(out->soa.rdata, longest_expire);
  out->records = exported_records(zone);
  settle(*out);
  return out;
}

std::shared_ptr<const ZoneVersion> with_serial(const ZoneVersion& version, std::uint32_t serial) {
  auto out = std::make_shared<ZoneVersion>(version);
  out->serial = serial;
  set_soa_serial(out->soa.rdata, serial);
  return out;
}

bool same_data(const ZoneVersion& a, const ZoneVersion& b) {
  TransferRecord soa = b.soa;
  set_soa_serial(soa.rdata, a.serial);
  return a.soa == soa && a.records == b.records;
}

std::shared_ptr<const ZoneHistory> ZoneHistory::restore(
    std::shared_ptr<const ZoneVersion> current,
    std::vector<std::shared_ptr<const ZoneDifference>> differences) {
  if (differences.size() > kMaxDifferences) return nullptr;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const TransferRecord& next =
        i + 1 == differences.size() ? current->soa : differences[i + 1]->from;
    if (differences[i]->to != next) return nullptr;
    if (!is_after(serial_of(next), differences[i]->from_serial)) return nullptr;
  }
  auto out = std::make_shared<ZoneHistory>(std::move(current));
  out->differences_.assign(differences.begin(), differences.end());
  return out;
}

std::shared_ptr<const ZoneHistory> ZoneHistory::next(
    std::shared_ptr<const ZoneVersion> version) const {
  auto out = std::make_shared<ZoneHistory>(version);
  if (!is_after(version->serial, current_->serial)) return out;
  out->differences_ = differences_;
  out->differences_.push_back(difference(*current_, *version));
  std::size_t size = 0;
  for (const auto& it : out->differences_) size += it->size;
  while (!out->differences_.empty() &&
         (out->differences_.size() > kMaxDifferences || size > version->size)) {
    size -= out->differences_.front()->size;
    out->differences_.pop_front();
  }
  return out;
}

std::vector<std::shared_ptr<const ZoneDifference>> ZoneHistory::since(std::uint32_t serial) const {
  const auto at =
      std::find_if(differences_.begin(), differences_.end(),
                   [serial](const auto& difference) { return difference->from_serial == serial; });
  return {at, differences_.end()};
}

void TransferMachine::add_whole(std::shared_ptr<const ZoneVersion> version) {
  version_ = std::move(version);
  add(version_->soa);
  add(version_->records);
  add(version_->soa);
}

TransferMachine TransferMachine::whole(Question question,
                                       std::shared_ptr<const ZoneVersion> version) {
  TransferMachine out(std::move(question));
  out.add_whole(std::move(version));
  return out;
}

TransferMachine TransferMachine::changes(Question question, const ZoneHistory& history,
                                         std::uint32_t serial) {
  TransferMachine out(std::move(question));
  const auto& current = history.current();
  // RFC 1995 2.
  if (!is_after(current->serial, serial)) {
    out.version_ = current;
    out.add(current->soa);
    return out;
  }
  out.differences_ = history.since(serial);
  if (out.differences_.empty()) {
    out.add_whole(current);
    return out;
  }
  out.version_ = current;
  out.add(current->soa);
  for (const auto& difference : out.differences_) {
    out.add(difference->from);
    out.add(difference->removed);
    out.add(difference->to);
    out.add(difference->added);
  }
  out.add(current->soa);
  return out;
}

std::size_t TransferMachine::next(MutableBytes out) {
  if (part_ == parts_.size()) return 0;
  MessageWriter writer(out);
  Header header;
  header.id = question_.id;
  header.flags = static_cast<std::uint16_t>(Header::kQr | Header::kAa |
                                            (question_.flags & (0x7800U | Header::kRd)));
  writer.header(header);
  // RFC 5936 2.2.1: the question is in the first message, and need not be in the others.
  const bool with_opt = first_ && question_.edns;
  if (first_) CHECK(writer.question(question_.name, question_.type));
  if (with_opt) CHECK(writer.reserve(wire::dns::kOptSize));
  first_ = false;
  const auto finished = [&] {
    if (with_opt) CHECK(writer.opt(wire::dns::EdnsHeader()));
    return writer.finish().size();
  };
  bool wrote = false;
  for (; part_ < parts_.size(); ++part_, index_ = 0) {
    const Part& part = parts_[part_];
    for (; index_ < part.count(); ++index_) {
      const TransferRecord& record = part.at(index_);
      if (!writer.raw(Section::kAnswer, NameView::from_valid_wire(record.owner), record.type,
                      RrClass::kIn, record.ttl, record.rdata)) {
        // The longest record has kMaxRdata octets of data; rooms are longer.
        CHECK(wrote);
        return finished();
      }
      wrote = true;
    }
  }
  return finished();
}

}  // namespace timepool::dns

#include "dns/transfer/zone_export.h"

#include <algorithm>
#include <numeric>

#include "base/byte_writer.h"
#include "base/check.h"

namespace timepool::dns {
namespace {

using wire::dns::DnsName;
using wire::dns::RrType;

// As the compiler follows them.
constexpr int kMaxAliases = 8;
constexpr std::uint32_t kNsTtl = 86400;

std::vector<std::byte> octets(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// Which records of a set one answer has, by index: the heaviest where they are drawn by weight.
std::vector<std::size_t> chosen(const Zone& zone, const Label& label, const RecordSet& set) {
  std::vector<std::size_t> out(set.records.size());
  std::iota(out.begin(), out.end(), 0);
  const bool always =
      set.type == RrType::kA || set.type == RrType::kAaaa || set.type == RrType::kCname;
  const bool weighted = std::any_of(set.records.begin(), set.records.end(),
                                    [](const ZoneRecord& record) { return record.weight > 0; });
  if (zone.plain || (!always && !weighted)) return out;
  std::stable_sort(out.begin(), out.end(), [&set](std::size_t a, std::size_t b) {
    return set.records[a].weight > set.records[b].weight;
  });
  const std::size_t most = set.type == RrType::kCname ? 1 : label.max_hosts;
  if (out.size() > most) out.resize(most);
  return out;
}

class Exporter {
 public:
  explicit Exporter(const Zone& zone) : zone_(zone) {}

  void add(const Label& label) {
    if (label.name.find('[') != std::string::npos) return;
    const auto name = label.name.empty() ? Result<DnsName, wire::dns::Malformed>(zone_.origin)
                                         : DnsName::from_text(label.name, zone_.origin);
    if (!name.ok()) return;
    owner_ = octets(wire::dns::lowered(name.value()).wire());
    const Label* source = &label;
    const RecordSet* own_ns = label.find(RrType::kNs);
    for (int i = 0; i < kMaxAliases && source->alias; ++i) {
      const Label* next = zone_.find(*source->alias);
      if (next == nullptr) break;
      source = next;
    }
    // A CNAME is alone; at the apex it would hide what a zone must have there.
    const RecordSet* cname = source->find(RrType::kCname);
    if (cname != nullptr && !label.name.empty()) {
      add(*source, *cname);
      return;
    }
    // Aliases are not followed for name servers.
    if (own_ns != nullptr) add(label, *own_ns);
    for (const RecordSet& set : source->sets) {
      if (set.type != RrType::kNs && set.type != RrType::kCname) add(*source, set);
    }
  }

  std::vector<TransferRecord> take() { return std::move(out_); }

 private:
  void add(const Label& label, const RecordSet& set) {
    const std::uint32_t ttl =
        set.ttl.value_or(label.ttl.value_or(set.type == RrType::kNs ? kNsTtl : zone_.ttl));
    for (const std::size_t index : chosen(zone_, label, set)) {
      out_.push_back({owner_, set.type, ttl, set.records[index].rdata});
    }
  }

  const Zone& zone_;
  std::vector<std::byte> owner_;
  std::vector<TransferRecord> out_;
};

}  // namespace

void set_soa_serial(std::vector<std::byte>& rdata, std::uint32_t serial) {
  CHECK(rdata.size() > kSoaNumbers);
  ByteWriter(MutableBytes(rdata).subspan(rdata.size() - kSoaNumbers)).u32(serial);
}

void bound_soa_expire(std::vector<std::byte>& rdata, std::uint32_t longest) {
  CHECK(rdata.size() > kSoaNumbers);
  const MutableBytes times = MutableBytes(rdata).subspan(rdata.size() - kSoaNumbers + 4);
  ByteReader before(times);
  const std::uint32_t refresh = before.u32();
  const std::uint32_t retry = before.u32();
  if (before.u32() <= longest) return;
  ByteWriter writer(times);
  writer.u32(refresh_within(refresh, longest));
  writer.u32(refresh_within(retry, longest));
  writer.u32(longest);
}

Zone with_serial(const Zone& zone, std::uint32_t serial, std::uint32_t longest_expire) {
  Zone out = zone;
  out.serial = serial;
  out.expire = std::min(zone.expire, longest_expire);
  if (!zone.plain) return out;
  set_soa_serial(out.soa, serial);
  bound_soa_expire(out.soa, longest_expire);
  return out;
}

std::uint32_t soa_expire(const Zone& zone) {
  if (!zone.plain) return zone.expire;
  ByteReader reader(zone.soa);
  reader.seek(zone.soa.size() - kSoaNumbers + 12);
  return reader.u32();
}

TransferRecord exported_soa(const Zone& zone) {
  return {octets(zone.origin.wire()), RrType::kSoa, soa_ttl(zone), soa_data(zone)};
}

std::vector<TransferRecord> exported_records(const Zone& zone) {
  Exporter exporter(zone);
  for (const Label& label : zone.labels) exporter.add(label);
  return exporter.take();
}

}  // namespace timepool::dns

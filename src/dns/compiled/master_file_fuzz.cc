// Any text as a master file: a zone whose every record, written as text, reads as the same record,
// and that compiles; or an error with a place within the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "dns/compiled/compiled.h"
#include "dns/zone/master_file.h"
#include "dns/zone/rdata_reader.h"
#include "wire/dns/rdata.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

void read_again(wire::dns::RrType type, Bytes data) {
  ByteReader reader(data);
  const auto parsed = wire::dns::parse_rdata(reader, type, data.size());
  CHECK(parsed.ok());
  const auto again = dns::read_rdata_text(type, wire::dns::format_rdata(parsed.value()), {});
  CHECK(again.ok());
  CHECK(std::equal(data.begin(), data.end(), again.value().begin(), again.value().end()));
}

void use(const dns::Zone& zone) {
  for (const dns::Label& label : zone.labels) {
    CHECK(zone.find(label.name) == &label);
    const auto name = label.name.empty()
                          ? Result<wire::dns::DnsName, wire::dns::Malformed>(zone.origin)
                          : wire::dns::DnsName::from_text(label.name, zone.origin);
    CHECK(name.ok() && dns::label_name(name.value(), zone.origin) == label.name);
    for (const dns::RecordSet& set : label.sets) {
      CHECK(!set.records.empty() && set.ttl);
      for (const dns::ZoneRecord& record : set.records) read_again(set.type, record.rdata);
    }
  }
  const dns::Zone* zones[] = {&zone};
  dns::ClassCache cache;
  CHECK(dns::CompiledZones::compile(zones, dns::GeoTable(), cache).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const dns::IncludeReader include = [](std::string_view name) -> Result<std::string, std::string> {
    return "inc TXT \"" + std::string(name.substr(0, 1)) + "\"\n";
  };
  const auto zone = dns::load_master(text, "pool.test", include);
  if (zone.ok()) {
    use(zone.value());
    return 0;
  }
  CHECK(zone.error().place.line >= 1 && zone.error().place.column >= 1);
  CHECK(!zone.error().file.empty() || zone.error().place.line <= size + 1);
  CHECK(!zone.error().text.empty());
  return 0;
}
